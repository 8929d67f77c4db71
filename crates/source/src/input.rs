//! Opening files and standard input, and counting what is read of them.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use timeweft_graph::{Name, Place, Reason, Reject};

use crate::SourceError;
use crate::limits::{self, LONGEST_RECORD, long_line};
use crate::text::{byte_lines, encoding};

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
    encoding::check(&bytes).and_then(|()| byte_lines::text(&bytes).map(|_| ())).map_err(fail)?;
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

/// Lines of UTF-8 text with their numbers; the buffer is used again for every line. Text in other encodings is an error, and
/// lines may end as on old Macs.
pub(crate) struct Lines<R> {
    reader: R,
    file: Name,
    line: u64,
    /// The byte that ends a line.
    end: u8,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R, file: &Name) -> Lines<R> {
        Lines { reader, file: file.clone(), line: 0, end: b'\n', buffer: Vec::new() }
    }

    /// Looks at the first bytes.
    fn look(&mut self) -> Result<(), SourceError> {
        let fail = |cause| SourceError::Read { file: self.file.clone(), line: 1, cause };
        let head = self.reader.fill_buf().map_err(fail)?;
        let fail = |problem| SourceError::Document { file: self.file.clone(), line: 1, problem };
        encoding::check(head).map_err(fail)?;
        self.end = encoding::line_end(head);
        Ok(())
    }

    /// What the lines are read from.
    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Where the line read last stands.
    pub(crate) fn place(&self) -> Place {
        Place::new(&self.file, self.line)
    }

    /// The number of the line read last.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next line; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, SourceError> {
        if self.line == 0 {
            self.look()?;
        }
        self.buffer.clear();
        self.line += 1;
        let mut limited = (&mut self.reader).take(LONGEST_RECORD as u64);
        let amount = limited.read_until(self.end, &mut self.buffer).map_err(|cause| SourceError::Read {
            file: self.file.clone(),
            line: self.line,
            cause,
        })?;
        Ok(amount > 0)
    }

    /// The bytes of the line read last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The line read last, without its end and without a byte order mark.
    pub(crate) fn text(&mut self) -> Result<&str, Reject> {
        let place = self.place();
        let reject = |text: String| Reject { place: place.clone(), reason: Reason::Malformed(text) };
        if self.buffer.len() == LONGEST_RECORD && self.buffer.last() != Some(&self.end) {
            return Err(self.skip_rest(place.clone()));
        }
        let text = std::str::from_utf8(&self.buffer).map_err(|error| {
            reject(format!("not UTF-8 text from byte {} on: convert the file to UTF-8", error.valid_up_to() + 1))
        })?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Ok(if self.line == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text })
    }

    fn skip_rest(&mut self, place: Place) -> Reject {
        // A failure comes back when the next line is read.
        while let Ok(chunk) = self.reader.fill_buf() {
            let end = chunk.iter().position(|&byte| byte == self.end);
            let amount = end.map_or(chunk.len(), |end| end + 1);
            let over = end.is_some() || chunk.is_empty();
            self.reader.consume(amount);
            if over {
                break;
            }
        }
        Reject { place, reason: Reason::Malformed(long_line(LONGEST_RECORD)) }
    }
}
