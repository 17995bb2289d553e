# farthing_part(NAME SOURCES file... [DEPENDS part-or-target...]): one part of the core, as the static library
# farthing_NAME. A part may link only parts before it (design: one direction, nothing points back).
#
#   farthing_part(money SOURCES money.cpp text.cpp)
#   farthing_part(store SOURCES engine.cpp DEPENDS money ledger farthing_sqlite)

set(FARTHING_PARTS money zone prices tokens media counting wire policy ledger http store report guard)

function(farthing_part name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "farthing_part(${name} SOURCES file... [DEPENDS part-or-target...])")
  endif()
  list(FIND FARTHING_PARTS ${name} own_place)
  if(own_place EQUAL -1)
    message(FATAL_ERROR "unknown part ${name}: the parts are ${FARTHING_PARTS} (cmake/FarthingPart.cmake)")
  endif()

  set(target farthing_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(farthing::${name} ALIAS ${target})
  farthing_compile_options(${target})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(
    ${target}
    PUBLIC "${PROJECT_SOURCE_DIR}/core/include"
    PRIVATE "${PROJECT_SOURCE_DIR}/core/src"
  )
  foreach(dependency IN LISTS arg_DEPENDS)
    list(FIND FARTHING_PARTS ${dependency} place)
    if(place EQUAL -1)
      target_link_libraries(${target} PRIVATE ${dependency})
    elseif(place GREATER_EQUAL own_place)
      message(FATAL_ERROR "part ${name} must not depend on ${dependency}: the direction is ${FARTHING_PARTS}")
    elseif(TARGET farthing_${dependency})
      target_link_libraries(${target} PUBLIC farthing_${dependency})
    else()
      message(STATUS "part ${name}: ${dependency} does not exist yet")
    endif()
  endforeach()
endfunction()
