// Nothing: CMake wants a source for the headers that the tests have parsed once (tests/CMakeLists.txt).
