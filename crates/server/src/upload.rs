//! Uploads on their way to a load: they lie in a folder of their own, which goes with them.

use std::fs;
use std::path::{Path, PathBuf};

use axum::extract::multipart::{Field, Multipart};
use tokio::io::AsyncWriteExt;

use crate::limits::Limits;
use crate::problem::{Code, Problem};
use crate::tokens::secret;

/// Names longer than this are cut.
const LONGEST: usize = 100;

/// A folder for the files of an upload. It is removed when this is dropped: when the load is over, or the client went away.
#[derive(Debug)]
pub(crate) struct Upload {
    folder: PathBuf,
    files: Vec<PathBuf>,
    bytes: u64,
}

impl Upload {
    fn new() -> Result<Upload, Problem> {
        let name = secret("timeweft-upload-").map_err(|error| Problem::new(Code::Internal, error))?;
        let folder = std::env::temp_dir().join(&name[..name.len() - 40]);
        let mut maker = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
        maker.create(&folder).map_err(|error| no_room(&error))?;
        Ok(Upload { folder, files: Vec::new(), bytes: 0 })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files in the order in which they came.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Reads the options, which come first, and then the files.
    pub(crate) async fn receive(mut form: Multipart, limits: &Limits) -> Result<(Vec<u8>, Upload), Problem> {
        let mut upload = Upload::new()?;
        let first = within(limits, form.next_field()).await?.map_err(|error| unreadable(&error))?;
        let first = first.filter(|field| field.name() == Some("options"));
        let mut first = first.ok_or_else(|| {
            Problem::bad("the first part of the form must be `options`").hint("Then come any number of parts `file`.")
        })?;
        let mut options = Vec::new();
        while let Some(bytes) = within(limits, first.chunk()).await?.map_err(|error| unreadable(&error))? {
            options.extend_from_slice(&bytes);
            if options.len() > limits.body {
                return Err(Problem::new(Code::TooLarge, format!("options has more than {} bytes", limits.body)));
            }
        }
        drop(first);
        while let Some(field) = within(limits, form.next_field()).await?.map_err(|error| unreadable(&error))? {
            if field.name() != Some("file") {
                let name = field.name().unwrap_or_default();
                return Err(Problem::bad(format!(
                    "unknown part `{name}` of the form: after `options` come parts `file`"
                )));
            }
            upload.take(field, limits).await?;
        }
        match upload.files.is_empty() {
            true => Err(Problem::bad("the form has no part `file`").hint("Send a file, or JSON with `source`.")),
            false => Ok((options, upload)),
        }
    }

    async fn take(&mut self, mut field: Field<'_>, limits: &Limits) -> Result<(), Problem> {
        let name = plain_name(field.file_name().unwrap_or_default());
        let path = self.folder.join(&name);
        if name.is_empty() || self.files.contains(&path) {
            return Err(Problem::bad(format!("file `{name}`: each file needs a name of its own")));
        }
        let mut file = tokio::fs::File::create_new(&path).await.map_err(|error| no_room(&error))?;
        self.files.push(path);
        while let Some(bytes) = within(limits, field.chunk()).await?.map_err(|error| unreadable(&error))? {
            self.bytes += bytes.len() as u64;
            if self.bytes > limits.upload {
                return Err(Problem::new(Code::TooLarge, format!("the upload has more than {} bytes", limits.upload)));
            }
            file.write_all(&bytes).await.map_err(|error| no_room(&error))?;
        }
        file.flush().await.map_err(|error| no_room(&error))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What comes next, if it comes in time.
async fn within<T>(limits: &Limits, next: impl Future<Output = T>) -> Result<T, Problem> {
    let late = |_| Problem::bad("the upload stands still").hint("Send it again.");
    tokio::time::timeout(limits.stall, next).await.map_err(late)
}

fn unreadable(error: &axum::extract::multipart::MultipartError) -> Problem {
    Problem::bad(format!("the form cannot be read: {}", error.body_text()))
}

fn no_room(error: &std::io::Error) -> Problem {
    Problem::new(Code::Unavailable, format!("the upload cannot be kept: {error}"))
        .hint("Make room on the server's disk.")
}

/// The last part of a name, in letters that mean nothing to a file system.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = last.chars().map(|letter| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => letter,
        _ => '_',
    });
    let plain: String = plain.take(LONGEST).collect();
    plain.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lead_nowhere() {
        let names = ["../../etc/passwd", "C:\\mail.csv", "..", "", "a b.csv.gz", ".ssh", "..%2f"];
        let plain = ["passwd", "mail.csv", "", "", "a_b.csv.gz", "ssh", "_2f"];
        assert_eq!(names.map(plain_name), plain);
        assert_eq!(plain_name(&"x".repeat(500)).len(), LONGEST);
    }
}
