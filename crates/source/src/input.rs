//! Opening files and standard input, and counting what is read of them.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use timeweft_graph::Name;

use crate::SourceError;
use crate::limits;
use crate::text::encoding;

/// How a file is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Packing {
    Gzip,
    Bzip2,
    Zstandard,
}

/// Ends of names of packed files, in small letters.
const PACKINGS: [(&str, Packing); 6] = [
    (".gz", Packing::Gzip),
    (".gzip", Packing::Gzip),
    (".bgz", Packing::Gzip),
    (".bz2", Packing::Bzip2),
    (".zst", Packing::Zstandard),
    (".zstd", Packing::Zstandard),
];

/// Ends of names that are packed in a way this crate does not unpack, and the program that does.
const NOT_UNPACKED: [(&str, &str); 10] = [
    (".xz", "xz -dc"),
    (".lzma", "xz -dc"),
    (".lz4", "lz4 -dc"),
    (".zip", "unzip -p"),
    (".7z", "7z x -so"),
    (".br", "brotli -dc"),
    (".z", "uncompress -c"),
    (".tar", "tar -xOf"),
    (".tgz", "tar -xzOf"),
    (".rar", "unrar p -inul"),
];

fn not_unpacked(name: &str) -> Option<&'static (&'static str, &'static str)> {
    let is_archive = Packing::split(name).0.ends_with(".tar");
    NOT_UNPACKED.iter().find(|(end, _)| name.ends_with(end) || (is_archive && *end == ".tgz"))
}

impl Packing {
    /// The name without the end that tells how it is packed, and how.
    fn split(name: &str) -> (&str, Option<Packing>) {
        let found = PACKINGS.iter().find_map(|(end, packing)| Some((name.strip_suffix(end)?, Some(*packing))));
        found.unwrap_or((name, None))
    }
}

/// The name of a file in small letters, without the end that tells how it is packed: what tells the format.
pub fn plain_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    Packing::split(&name).0.to_owned()
}

/// The files that may stand for one, packed in any way.
pub(crate) fn packed_names(name: &str) -> impl Iterator<Item = String> {
    PACKINGS.iter().map(move |(end, _)| format!("{name}{end}"))
}

/// Opens a file, or standard input for `-`. A name that ends in `.gz`, `.bz2` or `.zst`, in small letters or capitals, is
/// unpacked on the way.
///
/// # Errors
/// If the file cannot be opened, or is packed in another way: then the error says how to unpack it.
pub fn open(path: &Path) -> Result<Input, SourceError> {
    if path == Path::new("-") {
        return Ok(Input::new(io::stdin(), "<stdin>", None));
    }
    let fail = |cause| SourceError::Open { path: path.to_owned(), cause };
    let (file, facts) = open_file(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if let Some((_, program)) = not_unpacked(&name) {
        let file = path.to_string_lossy();
        let problem = format!(
            "this packing is not read: unpack it first, such as `{program} {file} > {}`, or pack it with gzip, bzip2 or \
             zstd",
            file.rsplit_once('.').map_or("FILE", |(plain, _)| plain)
        );
        return Err(SourceError::Unrecognised { path: path.to_owned(), as_what: "a source", problem });
    }
    let counted = Counted { inner: file, bytes_read: BytesRead::default() };
    let bytes_read = counted.bytes_read.clone();
    let reader: Box<dyn Read + Send> = match Packing::split(&name).1 {
        None => Box::new(counted),
        Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(BufReader::new(counted))),
        Some(Packing::Bzip2) => Box::new(MultiBzDecoder::new(BufReader::new(counted))),
        Some(Packing::Zstandard) => Box::new(Windowed(zstd::Decoder::new(counted).map_err(fail)?)),
    };
    let reader = Box::new(BufReader::with_capacity(1 << 16, reader));
    Ok(Input { reader, name: path.to_string_lossy().as_ref().into(), size: Some(facts.len()), bytes_read })
}

/// Opens a file or a pipe. Devices are refused: most have no end, and none is a source.
pub(crate) fn open_file(path: &Path) -> Result<(File, Metadata), SourceError> {
    let fail = |cause| SourceError::Open { path: path.to_owned(), cause };
    // Asked first: opening some devices does something.
    let facts = path.metadata().map_err(fail)?;
    if facts.is_dir() {
        return Err(fail(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")));
    }
    if is_device(&facts) {
        let problem = "it is a device: give a file, a pipe, or `-` for standard input".into();
        return Err(SourceError::Unrecognised { path: path.to_owned(), as_what: "a source", problem });
    }
    let file = File::open(path).map_err(fail)?;
    let facts = file.metadata().map_err(fail)?;
    Ok((file, facts))
}

#[cfg(unix)]
fn is_device(facts: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    facts.file_type().is_char_device() || facts.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_device(_: &Metadata) -> bool {
    false
}

/// The text of a small file that tells how others are read.
///
/// # Errors
/// If it cannot be opened or read, is not UTF-8 text, or is larger than [`limits::LARGEST_DESCRIPTION`].
pub fn read_text(path: &Path) -> Result<String, SourceError> {
    let (file, _) = open_file(path)?;
    let name: Name = path.to_string_lossy().as_ref().into();
    let fail = |problem| SourceError::Document { file: name.clone(), line: 0, problem };
    let mut bytes = Vec::new();
    let read = file.take(limits::LARGEST_DESCRIPTION as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|cause| SourceError::Read { file: name.clone(), line: 0, cause })?;
    if bytes.len() > limits::LARGEST_DESCRIPTION {
        let problem = limits::too_long("the file", limits::LARGEST_DESCRIPTION);
        return Err(fail(format!("{problem}: give the small text file that tells how others are read")));
    }
    encoding::check(&bytes).and_then(|()| encoding::utf8(&bytes).map(|_| ())).map_err(fail)?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The files in a folder, by name.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let fail = |cause| SourceError::Open { path: folder.to_owned(), cause };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// An opened source: read it with any reader of this crate.
pub struct Input {
    reader: Box<dyn BufRead + Send>,
    name: Name,
    size: Option<u64>,
    bytes_read: BytesRead,
}

impl Input {
    fn new(raw: impl Read + Send + 'static, name: &str, size: Option<u64>) -> Input {
        let bytes_read = BytesRead::default();
        let counted = Counted { inner: raw, bytes_read: bytes_read.clone() };
        Input { reader: Box::new(BufReader::with_capacity(1 << 16, counted)), name: name.into(), size, bytes_read }
    }

    /// The name for messages: the path, or `<stdin>`.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Size in bytes as it lies on disk (packed, if it is packed); `None` where it is not known, as for standard input.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// A handle that tells how many of these bytes were read; keep it while a reader owns the input.
    pub fn bytes_read(&self) -> BytesRead {
        self.bytes_read.clone()
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

/// How many bytes of an [`Input`] were read so far, for progress bars.
#[derive(Clone, Default, Debug)]
pub struct BytesRead(Arc<AtomicU64>);

impl BytesRead {
    /// Bytes as they lie on disk.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// What a reader tells that does not read from the beginning to the end.
    #[cfg(feature = "columnar")]
    pub(crate) fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

/// A reader of Zstandard, which holds what the packer looked back over: 128 MiB at most.
struct Windowed<R>(R);

impl<R: Read> Read for Windowed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|cause| {
            if !cause.to_string().contains("too much memory") {
                return cause;
            }
            let problem = "it is packed with a window of more than 128 MiB: unpack it with `zstd -d --long=31`";
            io::Error::new(cause.kind(), problem)
        })
    }
}

struct Counted<R> {
    inner: R,
    bytes_read: BytesRead,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.inner.read(buffer)?;
        self.bytes_read.0.fetch_add(amount as u64, Ordering::Relaxed);
        Ok(amount)
    }
}
