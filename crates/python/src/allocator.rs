//! The allocator of the binary: tensors and loads come and go as they do there.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
