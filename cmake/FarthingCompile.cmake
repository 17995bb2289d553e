# How everything here is compiled. `farthing_compile` carries it, PRIVATE, so that nothing of it reaches a project that
# uses us by add_subdirectory.

add_library(farthing_compile INTERFACE)
target_compile_features(farthing_compile INTERFACE cxx_std_20)
target_compile_options(
  farthing_compile
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wnon-virtual-dtor
            -Wimplicit-fallthrough
            -fno-strict-overflow>
)
if(FARTHING_WERROR)
  target_compile_options(farthing_compile INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # __int128 is meant; the false alarms of g++ 12 about strings and optionals are known and noisy.
  target_compile_options(
    farthing_compile INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict;-Wno-maybe-uninitialized;-Wno-dangling-pointer>
  )
endif()
if(CMAKE_UNITY_BUILD)
  # Several files in one (a third of the time): what these two warn of is then said of a neighbour's names. clang-tidy reads
  # each file by itself (build/lint): there -Wshadow is on, and a file that does not name all that it needs fails.
  target_compile_options(farthing_compile INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-shadow> $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # RapidJSON's iterators, in C++20.
  target_compile_options(
    farthing_compile INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-ambiguous-reversed-operator;-Wno-sign-conversion>
  )
endif()

if(FARTHING_SANITIZE)
  add_compile_options(
    -O${FARTHING_SANITIZE_OPTIMIZE} -fsanitize=${FARTHING_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -D_GLIBCXX_ASSERTIONS
  )
  add_link_options(-fsanitize=${FARTHING_SANITIZE})
endif()

if(FARTHING_BUILD_FUZZ)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
endif()

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  find_program(FARTHING_CCACHE ccache)
  if(FARTHING_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    # What was compiled in one build folder is taken in another, a wheel's for example: g++ hides which in the line
    # numbers, and the batches of a unity build lie in it. The rest is for the tests' precompiled headers.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND}" -E env CCACHE_NOHASHDIR=true "CCACHE_BASEDIR=${CMAKE_BINARY_DIR}"
        CCACHE_SLOPPINESS=pch_defines,time_macros "${FARTHING_CCACHE}"
    )
  endif()
  if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
  endif()
  # Assertions stay on in every build: no -DNDEBUG. -O3 and LTO bring no size or time of note.
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2")
  if(CMAKE_GENERATOR STREQUAL "Ninja")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fdiagnostics-color=auto>)
  endif()
endif()

# Sets what every library, module and program of ours has in common.
function(farthing_compile_options target)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:farthing_compile>)
  set_target_properties(
    ${target}
    PROPERTIES CXX_STANDARD 20
               CXX_STANDARD_REQUIRED ON
               CXX_EXTENSIONS OFF
               POSITION_INDEPENDENT_CODE ON
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
  )
endfunction()
