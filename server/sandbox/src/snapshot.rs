//! The state on disk, so that a restarted demo still knows its sessions.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Write},
    path::Path,
};

use serde_json::value::RawValue;

use crate::{Error, core::House};

/// Each provider's state, by its name. The saved state of a provider that no longer exists is dropped.
pub type Saved = BTreeMap<String, Box<RawValue>>;

/// Reads a snapshot. An absent file is an empty state.
pub async fn load(path: &Path) -> Result<Saved, Error> {
    match tokio::fs::read(path).await {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Saved::new()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the state beside the snapshot and moves it into place, so that a crash leaves the old or the new snapshot.
pub async fn save(house: &House) -> Result<(), Error> {
    let Some(path) = house.snapshot.clone() else {
        return Ok(());
    };
    let each = house.providers.iter().map(|provider| Ok((provider.about().name.to_owned(), provider.save()?)));
    let state: Saved = each.collect::<Result<_, Error>>()?;
    let write = move || -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let beside = path.with_extension("tmp");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // The file holds keys, although only of simulated accounts.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&serde_json::to_vec(&state)?)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    };
    tokio::task::spawn_blocking(write).await.map_err(std::io::Error::other)??;
    Ok(())
}
