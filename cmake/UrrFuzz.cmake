# urr_fuzz(NAME http FILE fuzz/http_fuzz.cpp DEPENDS http)
#
# A libFuzzer program <NAME>_fuzz, in the build with AddressSanitizer alone. As a test it runs for
# URR_FUZZ_SECONDS from a fixed seed, so that a change that did not cause a find does not meet it; `make
# fuzz` runs it for longer from seeds of its own (0 means: of the moment). The corpus grows in the build folder.
set(URR_FUZZ_SECONDS 20 CACHE STRING "how long each fuzzer runs as a test")
set(URR_FUZZ_RANDOM_SEED 1 CACHE STRING "where each fuzzer starts; 0: anywhere")

function(urr_fuzz)
    cmake_parse_arguments(ARG "" "NAME;FILE" "DEPENDS" ${ARGN})
    if(NOT URR_SANITIZE MATCHES "address")
        return()
    endif()
    list(TRANSFORM ARG_DEPENDS PREPEND urr_ OUTPUT_VARIABLE depends)
    add_executable(${ARG_NAME}_fuzz ${ARG_FILE})
    target_compile_options(${ARG_NAME}_fuzz PRIVATE -fsanitize=fuzzer)
    target_link_options(${ARG_NAME}_fuzz PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${ARG_NAME}_fuzz PRIVATE ${depends})
    set(corpus ${CMAKE_BINARY_DIR}/corpus/${ARG_NAME})
    file(MAKE_DIRECTORY ${corpus})
    set(seeds ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus)
    if(NOT EXISTS ${seeds})
        set(seeds "")
    endif()
    add_test(NAME ${ARG_NAME}_fuzz
             COMMAND ${ARG_NAME}_fuzz -max_total_time=${URR_FUZZ_SECONDS} -timeout=30 -seed=${URR_FUZZ_RANDOM_SEED}
                     -max_len=4096 -print_final_stats=0 -verbosity=0 ${corpus} ${seeds})
    set_tests_properties(${ARG_NAME}_fuzz PROPERTIES LABELS fuzz TIMEOUT 7200
                                                     WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()
