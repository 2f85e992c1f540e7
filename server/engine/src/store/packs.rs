//! The bytes of deliveries: those that share a commit lie in one row, compressed together.
//!
//! A few large rows are written faster than many small ones, and deliveries resemble each other: together they take a fraction
//! of their size.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use lz4_flex::block::{compress, decompress};
use sqlx::any::AnyRow;
use sqlx::query;

use super::Connection;
use super::inbox::NewRow;
use super::many::{filled, list, lists};
use super::row::Columns;
use crate::error::Error;

/// Bytes of one pack before compression, unless a single event has more. Enough that most commits need one; not more, because
/// whoever reads one event unpacks them all.
const BYTES_MAX: usize = 256 * 1024;
/// More than this was never packed: a delivery is bounded, and so is what it is packed with.
const UNPACKED_MAX: usize = 16 * 1024 * 1024;

/// Where an event's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The pack's id.
    pub pack: String,
    /// From which byte on.
    pub start: i64,
    /// How many.
    pub size: i64,
}

impl Place {
    /// As a row of `inbox` tells it.
    pub fn of(row: &AnyRow) -> Result<Place, Error> {
        Ok(Place { pack: row.text("pack")?, start: row.number("pack_start")?, size: row.number("pack_size")? })
    }
}

/// Events whose bytes are stored together.
pub(super) struct Pack<'r>(&'r [NewRow]);

impl<'r> Pack<'r> {
    /// Events in packs, in their order.
    pub fn all(mut rows: &'r [NewRow]) -> Vec<Pack<'r>> {
        let mut packs = vec![];
        while !rows.is_empty() {
            let mut bytes = 0;
            let fits = |row: &&NewRow| {
                bytes += row.body.len();
                bytes <= BYTES_MAX
            };
            let (pack, rest) = rows.split_at(rows.iter().take_while(fits).count().max(1));
            packs.push(Pack(pack));
            rows = rest;
        }
        packs
    }

    /// Its events.
    pub fn rows(&self) -> &'r [NewRow] {
        self.0
    }

    /// Its events, and where their bytes will be. It is named after its first event: should that turn out to be known already,
    /// nothing else bears its id.
    pub fn places(&self) -> impl Iterator<Item = (&'r NewRow, Place)> + use<'r> {
        let pack = self.id();
        self.0.iter().scan(0, move |next, row| {
            let (start, size) = (*next, i64::try_from(row.body.len()).unwrap_or(i64::MAX));
            *next = start + size;
            Some((row, Place { pack: pack.to_owned(), start, size }))
        })
    }

    fn id(&self) -> &'r str {
        self.0.first().map_or("", |row| row.id.as_str())
    }

    /// Writes the bytes.
    pub async fn insert(&self, connection: &mut Connection) -> Result<(), Error> {
        let bodies: Vec<&[u8]> = self.0.iter().map(|row| &row.body[..]).collect();
        let (bytes, unpacked) = pack(bodies.concat());
        query("INSERT INTO inbox_packs (id, bytes, unpacked) VALUES ($1, $2, $3)")
            .bind(self.id())
            .bind(bytes)
            .bind(unpacked)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// The bytes of events, in the order of their places.
pub(super) async fn read(connection: &mut Connection, places: &[Place]) -> Result<Vec<Bytes>, Error> {
    let ids: Vec<&str> = places.iter().map(|place| place.pack.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut packs: HashMap<String, Bytes> = HashMap::new();
    for (portion, size) in lists(&ids) {
        let text = list(connection, "SELECT id, bytes, unpacked FROM inbox_packs WHERE id IN ({})", 0, size);
        let select = filled(portion, size).fold(query(text), |select, id| select.bind(*id));
        for row in select.fetch_all(&mut *connection).await? {
            packs.insert(row.text("id")?, unpack(row.bytes("bytes")?, row.maybe_number("unpacked")?)?);
        }
    }
    places.iter().map(|place| cut(packs.get(&place.pack), place)).collect()
}

fn cut(pack: Option<&Bytes>, place: &Place) -> Result<Bytes, Error> {
    let range = || {
        let (start, size) = (usize::try_from(place.start).ok()?, usize::try_from(place.size).ok()?);
        let (pack, end) = (pack?, start.checked_add(size)?);
        (end <= pack.len()).then(|| pack.slice(start..end))
    };
    range().ok_or_else(|| Error::corrupt(format!("pack {} does not hold what a delivery needs", place.pack)))
}

/// The bytes to be stored and, if they are compressed, their number before.
fn pack(bytes: Vec<u8>) -> (Vec<u8>, Option<i64>) {
    let packed = compress(&bytes);
    if packed.len() >= bytes.len() || bytes.len() > UNPACKED_MAX {
        return (bytes, None);
    }
    let unpacked = i64::try_from(bytes.len()).ok();
    (packed, unpacked)
}

fn unpack(bytes: Vec<u8>, unpacked: Option<i64>) -> Result<Bytes, Error> {
    let Some(unpacked) = unpacked else { return Ok(bytes.into()) };
    let size = usize::try_from(unpacked).ok().filter(|size| *size <= UNPACKED_MAX);
    let size = size.ok_or_else(|| Error::corrupt(format!("a pack of {unpacked} bytes")))?;
    let bytes = decompress(&bytes, size).map_err(Error::corrupt)?;
    if bytes.len() == size { Ok(bytes.into()) } else { Err(Error::corrupt("a pack is shorter than it was")) }
}

#[cfg(test)]
mod tests {
    use domain::id::{InboxId, ProviderAccountId};
    use proptest::prelude::*;

    use super::*;

    fn row(number: u8, body: Vec<u8>) -> NewRow {
        NewRow {
            id: InboxId::from_random([number; 16]),
            account: ProviderAccountId::from_random([1; 16]),
            event: number.to_string(),
            body: body.into(),
            received: 0,
            idle: None,
            reading: None,
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2_000), 0..20)) {
            let rows: Vec<NewRow> = (0..).zip(bodies).map(|(number, body)| row(number, body)).collect();
            let mut seen = 0;
            for group in Pack::all(&rows) {
                let bodies: Vec<&[u8]> = group.rows().iter().map(|row| &row.body[..]).collect();
                let (bytes, unpacked) = pack(bodies.concat());
                let unpacked = unpack(bytes, unpacked).unwrap();
                for (row, place) in group.places() {
                    prop_assert_eq!(cut(Some(&unpacked), &place).unwrap(), &row.body);
                    prop_assert_eq!(&row.id, &rows[seen].id);
                    seen += 1;
                }
            }
            prop_assert_eq!(seen, rows.len());
        }
    }

    #[test]
    fn a_pack_is_bounded_but_takes_any_one_event() {
        let rows: Vec<NewRow> = [200_000, 60_000, 10_000, 400_000, 1]
            .into_iter()
            .zip(0..)
            .map(|(size, number)| row(number, vec![0; size]))
            .collect();
        assert_eq!(Pack::all(&rows).iter().map(|pack| pack.rows().len()).collect::<Vec<_>>(), [2, 1, 1, 1]);
        assert_eq!(Pack::all(&[]).len(), 0);
    }

    #[test]
    fn what_resembles_takes_little_and_what_does_not_is_left_alone() {
        let (bytes, unpacked) = pack(b"{\"object\":\"event\"}".repeat(100));
        assert!(bytes.len() < 200 && unpacked == Some(1_800));
        assert_eq!(pack(vec![1, 2, 3]), (vec![1, 2, 3], None));
    }

    #[test]
    fn what_was_never_packed_like_this_is_an_error() {
        let place = |start, size| Place { pack: "in_1".into(), start, size };
        let bytes = Bytes::from_static(b"abc");
        assert_eq!(cut(Some(&bytes), &place(1, 2)).unwrap(), "bc");
        for place in [place(2, 2), place(-1, 1), place(0, -1), place(i64::MAX, i64::MAX)] {
            assert!(cut(Some(&bytes), &place).is_err());
        }
        assert!(cut(None, &place(0, 0)).is_err());
        let (packed, _) = pack(vec![7; 1_000]);
        for size in [-1, 999, 1_001, i64::MAX] {
            assert!(unpack(packed.clone(), Some(size)).is_err(), "{size}");
        }
    }
}
