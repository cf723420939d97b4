// OpenBLAS's C interface.
#pragma once

#include <cblas.h>
