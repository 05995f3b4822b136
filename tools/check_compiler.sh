#!/bin/sh
# check_compiler.sh PYTHON: whether C++ extensions can be built here, as DeepSpeed does on first use.
set -eu

include=$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')

if ! command -v c++ >/dev/null; then
    echo "check_compiler.sh: found no C++ compiler (c++), which DeepSpeed needs." \
        "Install gcc and g++ (Debian and Ubuntu: apt-get install build-essential)." >&2
    exit 1
fi
if ! echo '#include <Python.h>' | c++ -fsyntax-only -I "$include" -x c++ - 2>/dev/null; then
    echo "check_compiler.sh: c++ cannot compile against $include/Python.h, which DeepSpeed needs." \
        "Install Python's headers (Debian and Ubuntu: apt-get install python3-dev)." >&2
    exit 1
fi
