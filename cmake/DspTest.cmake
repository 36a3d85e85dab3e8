# dsp_unit_test(LIB WHAT SOURCE... LINKS TARGET...): the cmocka test
# bin/unit_LIB_WHAT, which test/unit/LIB/WHAT.test runs.
find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET GLOBAL cmocka)

function(dsp_unit_test lib what)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  add_executable(unit_${lib}_${what} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(unit_${lib}_${what}
    PRIVATE ${arg_LINKS} PkgConfig::CMOCKA)
endfunction()
