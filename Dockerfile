# docker build -t tractcap .
# Debian 13 is the last with OSMesa; --build-arg OPENGL=egl takes EGL, which draws the same bytes
FROM docker.io/library/debian:trixie-slim AS build
ARG OPENGL=osmesa
COPY container/install /opt/src/container/install
RUN /opt/src/container/install system
COPY container/bom.txt /opt/src/container/bom.txt
COPY requirements/run.txt /opt/src/requirements/run.txt
RUN /opt/src/container/install dependencies /opt/src
COPY pyproject.toml README.md LICENSE entrypoint.py /opt/src/
COPY src /opt/src/src
RUN /opt/src/container/install project /opt/src
COPY container/slim.py container/left-out.txt container/bom.py /opt/src/container/
RUN /opt/src/container/install slim /opt/src

# what was deleted would still be in the layers below
FROM scratch
COPY --from=build / /
# apptainer.def takes them from here
LABEL org.opencontainers.image.title="tractcap" \
      org.opencontainers.image.description="Tractograms in, pictures out, under a memory cap" \
      org.opencontainers.image.version="1.0.0rc1" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.vendor="The tractcap developers" \
      org.opencontainers.image.base.name="docker.io/library/debian:trixie-slim"
ENV HOME=/tmp LANG=C.UTF-8 PATH=/opt/tractcap/bin:/usr/local/bin:/usr/bin:/bin TRACTCAP_CONTAINER_TAG=tractcap:1.0.0rc1
USER 1000:1000
WORKDIR /tmp
ENTRYPOINT ["/opt/tractcap/bin/python", "-I", "-B", "-X", "utf8", "/opt/tractcap/entrypoint.py"]
CMD ["--help"]
