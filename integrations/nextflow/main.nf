process TRACTCAP {
    tag "$meta.id"
    label 'process_low'
    stageInMode 'copy'

    container params.tractcap_container

    input:
    tuple val(meta), path(tractograms, stageAs: 'in/*')
    path reference

    output:
    tuple val(meta), path("${prefix}"), emit: pictures
    tuple val(meta), path("${prefix}/**/*_mosaic.png"), emit: mosaics
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    prefix = task.ext.prefix ?: "${meta.id}"
    def args = task.ext.args ?: ''
    def anatomy = reference ? "--reference ${reference}" : ''
    """
    tractcap in ${prefix} participant --mem ${task.memory.toMega()} --nprocs ${task.cpus} ${anatomy} ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        tractcap: \$(tractcap --version | cut -d ' ' -f 2)
    END_VERSIONS
    """
}
