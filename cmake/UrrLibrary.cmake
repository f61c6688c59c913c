# urr_library(NAME ticket FLOOR 5 DEPENDS sql http LINK PkgConfig::SODIUM)
#
# Makes the static library urr_<NAME> of every .cpp below the current folder, and the test program
# <NAME>_test of every *_test.cpp there. FLOOR is the height in the house (docs/architecture.md):
# DEPENDS may name lower floors only, so a link upwards or sideways is refused while configuring.
# LINK names outside libraries; they stay private to the .cpp files.
function(urr_library)
    cmake_parse_arguments(ARG "" "NAME;FLOOR" "DEPENDS;LINK;TEST_DEPENDS;TEST_LABELS" ${ARGN})
    if(NOT ARG_NAME OR "${ARG_FLOOR}" STREQUAL "")
        message(FATAL_ERROR "urr_library needs NAME and FLOOR")
    endif()
    set_property(GLOBAL PROPERTY URR_FLOOR_${ARG_NAME} ${ARG_FLOOR})
    foreach(below ${ARG_DEPENDS})
        get_property(floor_below GLOBAL PROPERTY URR_FLOOR_${below})
        if("${floor_below}" STREQUAL "")
            message(FATAL_ERROR "${ARG_NAME} depends on ${below}, which does not exist (yet)")
        endif()
        if(NOT floor_below LESS ARG_FLOOR)
            message(FATAL_ERROR "${ARG_NAME} (floor ${ARG_FLOOR}) must not depend on ${below} "
                                "(floor ${floor_below}): dependencies run downwards")
        endif()
    endforeach()

    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    set(tests ${sources})
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/fuzz/")
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

    list(TRANSFORM ARG_DEPENDS PREPEND urr_ OUTPUT_VARIABLE depends)
    if(sources)
        add_library(urr_${ARG_NAME} STATIC ${sources})
        target_include_directories(urr_${ARG_NAME} PUBLIC ${CMAKE_SOURCE_DIR})
        target_link_libraries(urr_${ARG_NAME} PUBLIC ${depends} PRIVATE ${ARG_LINK})
        urr_precompile(urr_${ARG_NAME})
    else()
        add_library(urr_${ARG_NAME} INTERFACE)
        target_include_directories(urr_${ARG_NAME} INTERFACE ${CMAKE_SOURCE_DIR})
        target_link_libraries(urr_${ARG_NAME} INTERFACE ${depends})
    endif()

    if(tests)
        add_executable(${ARG_NAME}_test ${tests})
        list(TRANSFORM ARG_TEST_DEPENDS PREPEND urr_ OUTPUT_VARIABLE test_depends)
        target_link_libraries(${ARG_NAME}_test PRIVATE urr_${ARG_NAME} ${test_depends} ${ARG_LINK}
                                                       GTest::gtest_main)
        add_test(NAME ${ARG_NAME}_test COMMAND ${ARG_NAME}_test)
        set_tests_properties(${ARG_NAME}_test PROPERTIES LABELS "unit;${ARG_TEST_LABELS}"
                                                         TIMEOUT 600)
        urr_precompile(${ARG_NAME}_test)
    endif()
endfunction()

# One precompiled header for the whole house, compiled once: cmake/precompiled.hpp.
add_library(urr_precompiled STATIC ${CMAKE_SOURCE_DIR}/cmake/precompiled.cpp)
target_precompile_headers(urr_precompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.hpp)

function(urr_precompile target)
    target_precompile_headers(${target} REUSE_FROM urr_precompiled)
endfunction()
