//! The bytes of deliveries. Deliveries that share a commit are stored in one row, compressed together.
//!
//! A few large rows are written faster than many small ones. Deliveries resemble each other, so together they take a fraction of their
//! size.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use lz4_flex::block::{compress_into, decompress, get_maximum_output_size};
use sqlx::any::AnyRow;

use super::Connection;
use super::inbox::NewRow;
use super::many::{filled, list, lists};
use super::row::Columns;
use crate::error::Error;
use crate::problem::{BodyProblem, Damage};
use crate::scope::Installation;

/// The most bytes of one pack before compression, unless a single event has more. Most commits need only one pack of this size. It is
/// not larger, because reading one event unpacks the whole pack.
const BYTES_MAX: usize = 256 * 1024;
/// The most bytes that a pack can hold. A delivery is bounded, and so are the deliveries packed with it.
const UNPACKED_MAX: usize = 16 * 1024 * 1024;

/// The place of an event's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The pack's id.
    pub pack: String,
    /// The first byte.
    pub start: i64,
    /// The number of bytes.
    pub size: i64,
}

impl Place {
    /// Reads the place from a row of `inbox`.
    pub fn of(row: &AnyRow) -> Result<Place, Error> {
        Ok(Place { pack: row.text("pack")?, start: row.number("pack_start")?, size: row.number("pack_size")? })
    }
}

/// Events whose bytes are stored together.
pub(super) struct Pack<'r, R>(&'r [&'r NewRow<R>]);

impl<'r, R> Pack<'r, R> {
    /// Divides events into packs, in their order.
    pub fn all(mut rows: &'r [&'r NewRow<R>]) -> Vec<Pack<'r, R>> {
        let mut packs = vec![];
        while !rows.is_empty() {
            let mut bytes = 0;
            let fits = |row: &&&NewRow<R>| {
                bytes += row.body.len();
                bytes <= BYTES_MAX
            };
            let (pack, rest) = rows.split_at(rows.iter().take_while(fits).count().max(1));
            packs.push(Pack(pack));
            rows = rest;
        }
        packs
    }

    /// The pack's events.
    pub fn rows(&self) -> &'r [&'r NewRow<R>] {
        self.0
    }

    /// The pack's events, and where their bytes will be. The pack is named after its first event. If that event turns out to be known
    /// already, no other pack has its id.
    pub fn places(&self) -> impl Iterator<Item = (&'r NewRow<R>, Place)> + use<'r, R> {
        let pack = self.id();
        self.0.iter().scan(0, move |next, row| {
            let (start, size) = (*next, i64::try_from(row.body.len()).unwrap_or(i64::MAX));
            *next = start + size;
            Some((*row, Place { pack: pack.to_owned(), start, size }))
        })
    }

    fn bytes(&self, fresh: &[bool], bytes: &mut Vec<u8>) {
        bytes.clear();
        for (row, fresh) in self.0.iter().zip(fresh) {
            if *fresh {
                bytes.extend_from_slice(&row.body);
            } else {
                bytes.resize(bytes.len() + row.body.len(), 0);
            }
        }
    }

    /// The bytes to be stored and, if they are compressed, their number before compression.
    fn packed(&self, fresh: &[bool]) -> (Vec<u8>, Option<i64>) {
        ROOM.with_borrow_mut(|room| {
            self.bytes(fresh, &mut room.bytes);
            let packed = room.pack();
            if room.bytes.capacity() > ROOM_MAX {
                *room = Room::default();
            }
            packed
        })
    }

    fn id(&self) -> &'r str {
        self.0.first().map_or("", |row| row.id.as_str())
    }

    /// Writes the bytes of the events that are `fresh`. A known event has its bytes in another pack; the zeros in their place take next
    /// to no room.
    pub async fn insert(&self, connection: &mut Connection, by: &Installation, fresh: &[bool]) -> Result<(), Error> {
        let (bytes, unpacked) = self.packed(fresh);
        by.query("INSERT INTO inbox_packs (id, bytes, unpacked) VALUES ($1, $2, $3)")
            .bind(self.id())
            .bind(bytes)
            .bind(unpacked)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// The bytes of events, in the order of their places. A damaged or missing pack is an error of its own events, not of the others.
pub(super) async fn read(
    connection: &mut Connection,
    by: &Installation,
    places: &[Place],
) -> Result<Vec<Result<Bytes, BodyProblem>>, Error> {
    let ids: Vec<&str> = places.iter().map(|place| place.pack.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut packs: HashMap<String, Result<Bytes, Damage>> = HashMap::new();
    for (portion, size) in lists(&ids) {
        let text = list(connection, "SELECT id, bytes, unpacked FROM inbox_packs WHERE id IN ({})", 0, size);
        let select = filled(portion, size).fold(by.query(text), |select, id| select.bind(*id));
        for row in select.fetch_all(&mut *connection).await? {
            let stored = || Ok::<_, Error>((row.bytes("bytes")?, row.maybe_number("unpacked")?));
            let pack = stored().map_err(|error| Damage::Unreadable(error.to_string()));
            packs.insert(row.text("id")?, pack.and_then(|(bytes, unpacked)| unpack(bytes, unpacked)));
        }
    }
    Ok(places.iter().map(|place| cut(packs.get(&place.pack), place)).collect())
}

/// Copies an event's bytes, so that one event does not keep the whole pack in memory.
fn cut(pack: Option<&Result<Bytes, Damage>>, place: &Place) -> Result<Bytes, BodyProblem> {
    let damaged = |damage| BodyProblem { pack: place.pack.clone(), damage };
    let pack = pack.ok_or_else(|| damaged(Damage::Gone))?.as_ref().map_err(|damage| damaged(damage.clone()))?;
    let range = || {
        let (start, size) = (usize::try_from(place.start).ok()?, usize::try_from(place.size).ok()?);
        pack.get(start..start.checked_add(size)?)
    };
    range().map(Bytes::copy_from_slice).ok_or_else(|| damaged(Damage::TooShort))
}

/// Memory for a pack, before and after compression. It is kept, because the system clears so much memory each time it is asked for anew.
#[derive(Default)]
struct Room {
    bytes: Vec<u8>,
    packed: Vec<u8>,
}

/// A room of more bytes, made for one large event, is given back.
const ROOM_MAX: usize = 2 * BYTES_MAX;

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

impl Room {
    fn pack(&mut self) -> (Vec<u8>, Option<i64>) {
        let Room { bytes, packed } = self;
        let most = get_maximum_output_size(bytes.len());
        if packed.len() < most {
            packed.resize(most, 0);
        }
        let size = compress_into(bytes, packed).ok().filter(|size| *size < bytes.len() && bytes.len() <= UNPACKED_MAX);
        match size.and_then(|size| packed.get(..size)) {
            Some(packed) => (packed.to_vec(), i64::try_from(bytes.len()).ok()),
            None => (bytes.clone(), None),
        }
    }
}

fn unpack(bytes: Vec<u8>, unpacked: Option<i64>) -> Result<Bytes, Damage> {
    let Some(unpacked) = unpacked else { return Ok(bytes.into()) };
    let size = usize::try_from(unpacked).ok().filter(|size| *size <= UNPACKED_MAX);
    let size = size.ok_or(Damage::Size(unpacked))?;
    let bytes = decompress(&bytes, size).map_err(|error| Damage::Unreadable(error.to_string()))?;
    if bytes.len() == size { Ok(bytes.into()) } else { Err(Damage::Shorter) }
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
            kind: None,
            reading: None,
        }
    }

    fn pack(bytes: &[u8]) -> (Vec<u8>, Option<i64>) {
        Room { bytes: bytes.to_vec(), packed: vec![9; 5] }.pack()
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2_000), 0..20)) {
            let rows: Vec<NewRow> = (0..).zip(bodies).map(|(number, body)| row(number, body)).collect();
            let mut seen = 0;
            for group in Pack::all(&rows.iter().collect::<Vec<_>>()) {
                // Every third event was known already.
                let fresh: Vec<bool> = (0..group.rows().len()).map(|number| number % 3 > 0).collect();
                let (bytes, unpacked) = group.packed(&fresh);
                let unpacked = unpack(bytes, unpacked);
                for ((row, place), fresh) in group.places().zip(fresh) {
                    let expected = if fresh { row.body.to_vec() } else { vec![0; row.body.len()] };
                    prop_assert_eq!(cut(Some(&unpacked), &place).unwrap(), expected);
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
        let rows: Vec<&NewRow> = rows.iter().collect();
        assert_eq!(Pack::all(&rows).iter().map(|pack| pack.rows().len()).collect::<Vec<_>>(), [2, 1, 1, 1]);
        assert_eq!(Pack::<()>::all(&[]).len(), 0);
    }

    #[test]
    fn what_resembles_takes_little_and_what_does_not_is_left_alone() {
        let (bytes, unpacked) = pack(&b"{\"object\":\"event\"}".repeat(100));
        assert!(bytes.len() < 200 && unpacked == Some(1_800));
        assert_eq!(pack(&[1, 2, 3]), (vec![1, 2, 3], None));
    }

    #[test]
    fn what_was_never_packed_like_this_is_an_error() {
        let place = |start, size| Place { pack: "in_1".into(), start, size };
        let bytes = Ok(Bytes::from_static(b"abc"));
        assert_eq!(cut(Some(&bytes), &place(1, 2)).unwrap(), "bc");
        for place in [place(2, 2), place(-1, 1), place(0, -1), place(i64::MAX, i64::MAX)] {
            assert!(cut(Some(&bytes), &place).is_err());
        }
        let damage = |pack| cut(pack, &place(0, 0)).unwrap_err();
        assert_eq!(damage(None), BodyProblem { pack: "in_1".into(), damage: Damage::Gone });
        assert_eq!(damage(Some(&Err(Damage::Shorter))), BodyProblem { pack: "in_1".into(), damage: Damage::Shorter });
        let (packed, _) = pack(&[7; 1_000]);
        for size in [-1, 999, 1_001, i64::MAX] {
            assert!(unpack(packed.clone(), Some(size)).is_err(), "{size}");
        }
    }
}
