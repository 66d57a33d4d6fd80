# docker build -t tractcap .
FROM docker.io/library/debian:trixie-slim AS build
COPY container/install /tmp/install
COPY requirements/run.txt /src/requirements/run.txt
RUN /tmp/install dependencies /src
COPY pyproject.toml README.md LICENSE entrypoint.py /src/
COPY src /src/src
RUN /tmp/install project /src

# Debian 13 is the last with OSMesa: Mesa 25.1 drops it
FROM docker.io/library/debian:trixie-slim
COPY container/install /tmp/install
RUN /tmp/install runtime && rm /tmp/install
COPY --from=build /opt/tractcap /opt/tractcap
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="tractcap" \
      org.opencontainers.image.description="Tractograms in, pictures out, under a memory cap" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.vendor="The tractcap developers" \
      org.opencontainers.image.base.name="docker.io/library/debian:trixie-slim"
ENV HOME=/tmp LANG=C.UTF-8 PATH=/opt/tractcap/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 TRACTCAP_CONTAINER_TAG=tractcap:${VERSION}
USER 1000:1000
WORKDIR /tmp
ENTRYPOINT ["/opt/tractcap/bin/python", "/opt/tractcap/entrypoint.py"]
CMD ["--help"]
