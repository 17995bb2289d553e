# Everything from outside, as targets with our own names where the package's own differ from machine to machine:
#   farthing_sqlite farthing_zlib farthing_rapidjson farthing_json farthing_nettle farthing_utf8proc farthing_toml farthing_curl_headers   (header-only ones are SYSTEM: no warnings of theirs)

find_package(Threads REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)

add_library(farthing_sqlite INTERFACE)
target_link_libraries(farthing_sqlite INTERFACE SQLite::SQLite3 Threads::Threads)

# zlib: the shared library, which every manylinux promises, so that a wheel does not carry it.
add_library(farthing_zlib INTERFACE)
target_link_libraries(farthing_zlib INTERFACE ZLIB::ZLIB)

add_library(farthing_json INTERFACE)
target_link_libraries(farthing_json INTERFACE nlohmann_json::nlohmann_json)

# RapidJSON: the path of every call.
find_path(FARTHING_RAPIDJSON_INCLUDE rapidjson/document.h REQUIRED)
add_library(farthing_rapidjson INTERFACE)
target_include_directories(farthing_rapidjson SYSTEM INTERFACE "${FARTHING_RAPIDJSON_INCLUDE}")
target_compile_definitions(farthing_rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)

# Nettle: HMAC for the ids of keys. The static library, so that a wheel needs nothing of the system.
find_library(FARTHING_NETTLE libnettle.a REQUIRED)
find_path(FARTHING_NETTLE_INCLUDE nettle/hmac.h REQUIRED)
add_library(farthing_nettle INTERFACE)
target_link_libraries(farthing_nettle INTERFACE "${FARTHING_NETTLE}")
target_include_directories(farthing_nettle SYSTEM INTERFACE "${FARTHING_NETTLE_INCLUDE}")

# utf8proc: composed characters and their categories, for encodings from files. Static for the same reason.
find_library(FARTHING_UTF8PROC libutf8proc.a REQUIRED)
find_path(FARTHING_UTF8PROC_INCLUDE utf8proc.h REQUIRED)
add_library(farthing_utf8proc INTERFACE)
target_link_libraries(farthing_utf8proc INTERFACE "${FARTHING_UTF8PROC}")
target_include_directories(farthing_utf8proc SYSTEM INTERFACE "${FARTHING_UTF8PROC_INCLUDE}")

find_path(FARTHING_TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
add_library(farthing_toml INTERFACE)
target_include_directories(farthing_toml SYSTEM INTERFACE "${FARTHING_TOMLPLUSPLUS_INCLUDE}")
target_compile_definitions(farthing_toml INTERFACE TOML_HEADER_ONLY=1 TOML_EXCEPTIONS=0)

# libcurl: its headers only. The library is opened when it is needed (core/src/http): a wheel stays small, and has the
# system's certificates and security updates.
find_path(FARTHING_CURL_INCLUDE curl/curl.h REQUIRED)
add_library(farthing_curl_headers INTERFACE)
target_include_directories(farthing_curl_headers SYSTEM INTERFACE "${FARTHING_CURL_INCLUDE}")

if(FARTHING_BUILD_CLI OR FARTHING_BUILD_PYTHON)
  find_package(CLI11 REQUIRED)
endif()
if(FARTHING_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()

# The interpreter runs the generators (zone data, price book) and, when the module is built, gives its headers. In a
# checkout it is .venv's; elsewhere say -DPython_EXECUTABLE=... of one that has requirements/build.lock.
if(NOT Python_EXECUTABLE AND EXISTS "${PROJECT_SOURCE_DIR}/.venv/bin/python")
  set(Python_EXECUTABLE "${PROJECT_SOURCE_DIR}/.venv/bin/python" CACHE FILEPATH "")
endif()
set(Python_FIND_VIRTUALENV FIRST)
if(FARTHING_BUILD_PYTHON)
  find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -m pybind11 --cmakedir
    OUTPUT_VARIABLE _pybind11_dir
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE _pybind11_missing
  )
  if(_pybind11_missing)
    message(FATAL_ERROR "pybind11 is not installed for ${Python_EXECUTABLE}: run `make setup`")
  endif()
  find_package(pybind11 CONFIG REQUIRED PATHS "${_pybind11_dir}" NO_DEFAULT_PATH)
else()
  find_package(Python 3.9 REQUIRED COMPONENTS Interpreter)
endif()
