# Programs of our own that run inside Windows guests: made by mingw-w64 where that is there. Without
# it h2k does without them (see fixers/windows/embedded.h).
find_program(H2K_MINGW_AMD64 x86_64-w64-mingw32-gcc)
find_program(H2K_MINGW_X86 i686-w64-mingw32-gcc)

# h2k_windows_programs(TARGET FILE): let FILE of TARGET take in what is made.
function(h2k_windows_programs target file)
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/windows/service)
  foreach(arch IN ITEMS AMD64 X86)
    string(TOLOWER h2ksvc-${arch}.exe name)
    set(program ${CMAKE_CURRENT_BINARY_DIR}/${name})
    if(H2K_MINGW_${arch})
      add_custom_command(OUTPUT ${program}
                         COMMAND ${folder}/build ${H2K_MINGW_${arch}} ${program}
                         DEPENDS ${folder}/build ${folder}/h2ksvc.c
                         COMMENT "Building ${name}" VERBATIM)
      set_property(SOURCE ${file} APPEND PROPERTY OBJECT_DEPENDS ${program})
      set_property(SOURCE ${file} APPEND PROPERTY
                   COMPILE_DEFINITIONS H2K_SERVICE_${arch}="${program}")
      target_sources(${target} PRIVATE ${program})
      set(H2K_SERVICE_${arch} ${program} CACHE INTERNAL "the service's program, for tests")
    else()
      message(STATUS "No mingw-w64 compiler for ${arch}: Windows guests of that kind start their "
                     "first-boot scripts without a program of h2k's own")
    endif()
  endforeach()
endfunction()

# h2k_embed(FILE NAME...): FILE takes in files of the source tree, which it names itself.
function(h2k_embed file)
  foreach(name IN LISTS ARGN)
    set_property(SOURCE ${file} APPEND PROPERTY OBJECT_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  endforeach()
  set_property(SOURCE ${file} APPEND PROPERTY
               COMPILE_DEFINITIONS H2K_EMBED_FOLDER="${CMAKE_CURRENT_SOURCE_DIR}")
endfunction()
