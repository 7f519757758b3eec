// glibc's malloc keeps several arenas, so that threads don't wait for each other. Only the main
// one reuses blocks of more than 64 MiB; the others map such a block anew for each training step.
#pragma once

namespace wordrow {

// Makes malloc reuse freed memory, in one arena: a training step allocates the same arrays as the
// one before it, and fresh pages would cost up to half of a step. Threads that have an arena keep
// it, so this should come before JAX starts its threads.
void keep_memory();

// Gives the calling thread the main arena, if it has not allocated yet: each arena that a thread
// makes is one that JAX's threads are given later.
void use_main_arena();

}  // namespace wordrow
