# farthing_python_module(NAME SOURCES file... LINKS target...): a Python extension module that exports its init function and
# nothing else, so that two copies of the core in one process (ours and somebody's own) do not clash.
function(farthing_python_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  pybind11_add_module(${name} MODULE NO_EXTRAS ${arg_SOURCES})
  farthing_compile_options(${name})
  # pybind11's macros and casters are not written for these two.
  target_compile_options(${name} PRIVATE -Wno-shadow -Wno-conversion)
  target_compile_definitions(${name} PRIVATE "FARTHING_VERSION=\"${PROJECT_VERSION}\"")
  target_link_libraries(${name} PRIVATE ${arg_LINKS})

  set(script "${CMAKE_CURRENT_BINARY_DIR}/${name}.map")
  # Not file(WRITE), which would link again after every configure: under a program that is using the module.
  file(CONFIGURE OUTPUT "${script}" CONTENT "{ global: PyInit_${name}; local: *; };\n")
  target_link_options(${name} PRIVATE "LINKER:--exclude-libs,ALL" "LINKER:--version-script=${script}")
  set_target_properties(${name} PROPERTIES LINK_DEPENDS "${script}")
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_link_options(${name} PRIVATE "LINKER:--strip-all")
  endif()

  if(FARTHING_PYTHON_IN_PLACE)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PROJECT_SOURCE_DIR}/python/farthing")
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION farthing COMPONENT python)
endfunction()
