# Compiler, warnings, sanitizers, linker, ccache and the small precompiled header.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    message(FATAL_ERROR "URR needs clang 19 (g++ 12 miscompiles coroutines): use a preset, "
                        "for example 'cmake --preset dev'")
endif()

set(URR_SANITIZE "" CACHE STRING "value for -fsanitize=, or empty")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Werror)
add_compile_options(-Xclang -fno-pch-timestamp) # lets ccache share the precompiled header
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g1")
add_link_options(-fuse-ld=lld-19)

if(URR_SANITIZE)
    add_compile_options(-fsanitize=${URR_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${URR_SANITIZE})
    if(URR_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=undefined)
    endif()
endif()

find_program(URR_CCACHE ccache)
if(URR_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime
        CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${URR_CCACHE})
endif()
