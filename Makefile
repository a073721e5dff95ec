# Thin aliases of tasks.py, for fingers that type make.
.PHONY: help run setup test coverage check shots bench lock
help: ; @python3 tasks.py help
run setup test coverage check bench lock: ; @python3 tasks.py $@
shots: ; @python3 tasks.py shots "$(FOLDER)"
