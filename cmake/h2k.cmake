# h2k_layer(NAME SOURCES file... USES layer... PKG module...)
# One static library for one folder; USES names the layers it may call.
function(h2k_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;PKG" ${ARGN})
  add_library(h2k_${name} STATIC ${arg_SOURCES})
  target_include_directories(h2k_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  foreach(layer IN LISTS arg_USES)
    target_link_libraries(h2k_${name} PUBLIC h2k_${layer})
  endforeach()
  foreach(module IN LISTS arg_PKG)
    string(MAKE_C_IDENTIFIER ${module} id)
    pkg_check_modules(PKG_${id} REQUIRED IMPORTED_TARGET ${module})
    target_link_libraries(h2k_${name} PUBLIC PkgConfig::PKG_${id})
  endforeach()
endfunction()

# h2k_unit_test(MODULE LAYER): tests/unit/test_MODULE.c, cmocka, no root needed.
function(h2k_unit_test module layer)
  add_executable(test_${module} test_${module}.c)
  target_link_libraries(test_${module} PRIVATE h2k_${layer} PkgConfig::CMOCKA)
  target_compile_definitions(test_${module} PRIVATE
                             TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data")
  add_test(NAME unit.${module} COMMAND test_${module})
  set_tests_properties(unit.${module} PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 120)
endfunction()

# h2k_root_test(MODULE LAYER): tests/root/test_MODULE.c, cmocka, real mounts and loop devices; skips
# itself when it is not run by root.
function(h2k_root_test module layer)
  add_executable(test_${module} test_${module}.c)
  target_link_libraries(test_${module} PRIVATE h2k_${layer} PkgConfig::CMOCKA)
  target_compile_definitions(test_${module} PRIVATE
                             TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data")
  add_test(NAME root.${module} COMMAND test_${module})
  set_tests_properties(root.${module} PROPERTIES LABELS root SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()

# h2k_script_test(LABEL NAME [TIMEOUT seconds]): tests/LABEL/NAME.sh; exit 77 means skipped.
function(h2k_script_test label name)
  cmake_parse_arguments(arg "" "TIMEOUT" "" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_test(NAME ${label}.${name}
           COMMAND ${PROJECT_SOURCE_DIR}/tests/${label}/${name}.sh)
  set_tests_properties(${label}.${name} PROPERTIES
                       LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT ${arg_TIMEOUT}
                       ENVIRONMENT "H2K=$<TARGET_FILE:h2k>;H2K_SRC=${PROJECT_SOURCE_DIR}")
endfunction()

# h2k_fuzz(PARSER LAYER): tests/fuzz/fuzz_PARSER.c; replays tests/fuzz/corpus/PARSER in ctest,
# and is a libFuzzer program when H2K_FUZZ is on.
function(h2k_fuzz parser layer)
  if(H2K_FUZZ)
    add_executable(fuzz_${parser} fuzz_${parser}.c)
    target_link_options(fuzz_${parser} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${parser} fuzz_${parser}.c replay.c)
  endif()
  target_link_libraries(fuzz_${parser} PRIVATE h2k_${layer})
  if(NOT H2K_FUZZ)
    add_test(NAME fuzz.${parser}
             COMMAND fuzz_${parser} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${parser})
    set_tests_properties(fuzz.${parser} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()
