# Runs a Python test with the interpreter that has its packages, or says how to get it.
#   cmake -DPYTHON=... -DDRIVER=... -DTEST=... -P run_python.cmake
if(NOT EXISTS "${PYTHON}")
  message(FATAL_ERROR "There is no ${PYTHON}. Run ./dev setup: it makes the Python environment of "
    "the tests from cmake/third_party/python-packages.txt. Another one can be named by WHERRY_TEST_PYTHON.")
endif()
set(ENV{WHERRY_ORACLE_DRIVER} "${DRIVER}")
set(ENV{PYTHONDONTWRITEBYTECODE} 1)
execute_process(COMMAND "${PYTHON}" "${TEST}" -v RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${TEST} failed: ${result}")
endif()
