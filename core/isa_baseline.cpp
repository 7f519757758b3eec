#define WORDROW_ISA kernels_baseline
#define WORDROW_ISA_NAME "baseline"
#include "isa_kernels.inc"
