//! Random numbers by counter: the same draw for the same key, whatever was drawn before.

/// The mixing function of the protocol (Steele, Lea, Flood 2014).
///
/// ```
/// assert_eq!(timeweft_learn::splitmix64(0), 0xE220_A839_7B1D_CDAF);
/// ```
pub fn splitmix64(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
