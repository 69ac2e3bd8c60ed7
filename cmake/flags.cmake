# Compiler flags for every target of the project.
include(CheckCCompilerFlag)

set(wanted
    -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Walloca -Wwrite-strings -Wcast-qual
    -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations
    -Wold-style-definition -Wformat=2 -Wimplicit-fallthrough -Wconversion -Wno-sign-conversion
    -Wdouble-promotion -Wswitch-enum -Wnull-dereference -Wdate-time -Wno-gnu-statement-expression
    -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wformat-overflow=2
    -Wformat-truncation=1 -Wjump-misses-init
    -fno-common -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero)
foreach(flag IN LISTS wanted)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
  check_c_compiler_flag(${flag} ${have})
  if(${have})
    add_compile_options(${flag})
  endif()
endforeach()

if(H2K_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64 H2K_VERSION="${PROJECT_VERSION}")
if(H2K_SANITIZE)
  add_compile_options(-fsanitize=${H2K_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${H2K_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(H2K_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
