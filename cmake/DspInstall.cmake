# What `cmake --install` copies, and the same layout in the build tree:
#
#   bin/dspc, bin/dsp-opt
#   lib/dspc/            what dspc needs to build an emitted program; it looks
#                        in $DSPC_RUNTIME_DIR, then in ../lib/dspc beside it
#     include/dsprt*.h
#     libdsprt_cpu.a     dsprt_cpu.flags: how to compile and link with it

foreach(tool dspc dsp-opt)
  if(TARGET ${tool})
    install(TARGETS ${tool} RUNTIME DESTINATION bin)
  endif()
endforeach()

set(DSP_RUNTIME_DIR ${CMAKE_BINARY_DIR}/lib/dspc)
if(TARGET dsprt_cpu)
  file(MAKE_DIRECTORY ${DSP_RUNTIME_DIR})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/runtime/include/dsprt
       ${DSP_RUNTIME_DIR}/include SYMBOLIC)
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/runtime ${DSP_RUNTIME_DIR}/runtime
       SYMBOLIC)
  install(DIRECTORY runtime/ DESTINATION lib/dspc/runtime
          FILES_MATCHING PATTERN "*.[ch]" PATTERN "*.cu" PATTERN "*.cuh"
          PATTERN "CMakeLists.txt")
  install(TARGETS dsprt_cpu ARCHIVE DESTINATION lib/dspc)
  install(DIRECTORY runtime/include/dsprt/ DESTINATION lib/dspc/include
          FILES_MATCHING PATTERN "*.h")
  install(FILES ${DSP_RUNTIME_DIR}/dsprt_cpu.flags DESTINATION lib/dspc
          OPTIONAL)
endif()
