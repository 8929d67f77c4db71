//! Linker arguments of an extension module, where the system needs them.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
