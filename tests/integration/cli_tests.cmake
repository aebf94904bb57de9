# The command line, the description and the demo's proof, tested from outside.
foreach(name IN ITEMS describe demo_ledger demo_network)
  add_test(NAME integration.${name}
    COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/${name}_test.py")
  set_tests_properties(integration.${name} PROPERTIES TIMEOUT 120)
endforeach()

if(TARGET wherry_cli AND TARGET wherry-relay)
  foreach(class IN ITEMS cli_test.TalkTest cli_test.MistakeTest cli_test.HelloTest
                         cli_advice_test.AdviceTest cli_advice_test.WordsTest
                         cli_pipe_test.BadInputTest cli_pipe_test.PipeTest
                         cli_pipe_test.PermitsAndDiskTest cli_pipe_slow_test.SlowClientTest)
    add_test(NAME integration.${class}
      COMMAND "${Python3_EXECUTABLE}" -B -m unittest ${class}
      WORKING_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}")
    set_tests_properties(integration.${class} PROPERTIES TIMEOUT 300 ENVIRONMENT
      "WHERRY_PROGRAM=$<TARGET_FILE:wherry_cli>;WHERRY_RELAY=$<TARGET_FILE:wherry-relay>;WHERRY_HELLO=$<TARGET_FILE:wherry_hello>")
  endforeach()

  # Not a packet beside Tor's, in namespaces of their own.
  if(TARGET wherry_onion AND TARGET wherry_p2p)
    add_test(NAME onion.capture
      COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/onion_capture_test.py")
    set_tests_properties(onion.capture PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77
      ENVIRONMENT "WHERRY_PROGRAM=$<TARGET_FILE:wherry_cli>")
  endif()
endif()
