#define WORDROW_ISA kernels_avx2
#define WORDROW_ISA_NAME "avx2"
#include "isa_kernels.inc"
