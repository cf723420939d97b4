// OpenVINO's C API.
#pragma once

#include <openvino/c/openvino.h>
