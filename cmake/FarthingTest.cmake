# farthing_test(NAME money_test SOURCES money_test.cpp [LINKS target...] [THREADS]): one GoogleTest program, one ctest
# test. THREADS: its threads share something, so that it is run under ThreadSanitizer too (target thread_tests, label
# threads). FARTHING_SOURCE_DIR is defined: tests find tests/vectors/ under it.
# farthing_bench(NAME ... SOURCES ... LINKS ...): one program that prints JSON rows, built and run by `make bench` (target
# benches), never by ctest.
# farthing_fuzzer(NAME ... SOURCES ... LINKS ...): one libFuzzer program, in the preset `asan-ubsan` only (target fuzzers);
# scripts/fuzz runs them, from the seeds in tests/fuzz/seeds/NAME/.

function(_farthing_test_program target)
  farthing_compile_options(${target})
  target_include_directories(
    ${target} PRIVATE "${PROJECT_SOURCE_DIR}/core/include" "${PROJECT_SOURCE_DIR}/core/src" "${PROJECT_SOURCE_DIR}"
  )
  target_compile_definitions(${target} PRIVATE "FARTHING_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
endfunction()

function(farthing_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "THREADS" "NAME;TIMEOUT" "SOURCES;LINKS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES)
    message(FATAL_ERROR "farthing_test(NAME name SOURCES file... [LINKS target...] [TIMEOUT s] [THREADS])")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  _farthing_test_program(${arg_NAME})
  # A test is compiled more often than it is run; what it tests is optimised.
  target_compile_options(${arg_NAME} PRIVATE -O0)
  if(TARGET farthing_test_headers)
    target_precompile_headers(${arg_NAME} REUSE_FROM farthing_test_headers)
  endif()
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LINKS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${arg_NAME} COMMAND ${arg_NAME})
  set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  if(arg_THREADS)
    set_tests_properties(${arg_NAME} PROPERTIES LABELS threads)
    if(NOT TARGET thread_tests)
      add_custom_target(thread_tests)
    endif()
    add_dependencies(thread_tests ${arg_NAME})
  endif()
endfunction()

function(farthing_bench)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LINKS")
  if(NOT FARTHING_BUILD_BENCH)
    return()
  endif()
  add_executable(${arg_NAME} EXCLUDE_FROM_ALL ${arg_SOURCES})
  _farthing_test_program(${arg_NAME})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LINKS})
  if(NOT TARGET benches)
    add_custom_target(benches)
  endif()
  add_dependencies(benches ${arg_NAME})
endfunction()

function(farthing_fuzzer)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LINKS")
  if(NOT FARTHING_BUILD_FUZZ)
    return()
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  _farthing_test_program(${arg_NAME})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LINKS})
  target_link_options(${arg_NAME} PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${arg_NAME})
endfunction()
