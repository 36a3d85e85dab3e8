# dsp_embed(TARGET SYMBOL FILE): the bytes of FILE inside a library.
#
# Defines  const char SYMBOL[]  (zero-terminated)  and
# const size_t SYMBOL_length  in a generated source of TARGET.

set(DSP_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed.cmake)

function(dsp_embed target symbol file)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
  get_filename_component(file ${file} ABSOLUTE)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DSYMBOL=${symbol} -DFILE=${file}
            -P ${DSP_EMBED_SCRIPT}
    DEPENDS ${file} ${DSP_EMBED_SCRIPT}
    COMMENT "Embedding ${symbol}"
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
