//! The thread of the database, and the queue in front of it.
//!
//! **What waits at the same time shares one commit**, which is the one expensive step: the disk has
//! to say that it has everything. So a thousand cars that enrol in the same second take a few
//! commits. An answer comes after the commit that it rests on.

use super::{DbError, Store};
use rccar_causes::causes;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait. When the queue is full, senders wait: each is the task of a connection.
const WAITING: usize = 1_024;
/// Jobs that share a commit: a hundredth of a second of work.
const BATCH: usize = 256;

/// Takes the store, or the fault why there is none now; returns how to pass the answer on.
type Job = Box<dyn FnOnce(Result<&mut Store, DbError>) -> Answer + Send>;
/// Passes the answer on, or the fault that undid it.
type Answer = Box<dyn FnOnce(Option<DbError>)>;

/// The database for tasks: they wait for it without blocking the runtime. The thread ends with the
/// last clone.
#[derive(Debug, Clone)]
pub(crate) struct Db(mpsc::Sender<Job>);

impl Db {
    pub(crate) fn start(mut store: Store) -> Result<Self, DbError> {
        let (sender, mut jobs) = mpsc::channel::<Job>(WAITING);
        let work = move || {
            let mut batch = Vec::new();
            while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
                work_off(&mut store, &mut batch);
            }
        };
        std::thread::Builder::new()
            .name("database".to_owned())
            .spawn(work)
            .map_err(DbError::Thread)?;
        Ok(Self(sender))
    }

    /// Runs `work` on the thread of the database. It must not leave a transaction open; what it
    /// does in several steps it does [atomically](Store::atomically).
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |store: Result<&mut Store, DbError>| {
            let outcome = store.and_then(work);
            let pass_on = move |undone: Option<DbError>| {
                // An error means that nobody waits any more.
                let _ = answer.send(undone.map_or(outcome, Err));
            };
            Box::new(pass_on) as Answer
        });
        self.0.send(job).await.map_err(|_| DbError::Lost)?;
        answered.await.map_err(|_| DbError::Lost)?
    }
}

fn work_off(store: &mut Store, batch: &mut Vec<Job>) {
    if batch.len() == 1 {
        for job in batch.drain(..) {
            if let Ok(answer) = catch_unwind(AssertUnwindSafe(|| job(Ok(&mut *store)))) {
                answer(None);
            }
        }
        return;
    }
    if let Err(error) = store.connection.execute_batch("BEGIN IMMEDIATE") {
        let why: Arc<str> = causes(&error).to_string().into();
        for job in batch.drain(..) {
            job(Err(DbError::Together(Arc::clone(&why))))(None);
        }
        return;
    }
    let mut answers = Vec::with_capacity(batch.len());
    let (mut panicked, mut undone) = (false, None);
    for job in batch.drain(..) {
        if let Some(why) = &undone {
            // It would be kept, alone, while its caller is told that everything failed.
            job(Err(DbError::Together(Arc::clone(why))))(None);
            continue;
        }
        match catch_unwind(AssertUnwindSafe(|| job(Ok(&mut *store)))) {
            Ok(answer) => answers.push(answer),
            // Its caller gets `Lost`. What it has left behind must not be kept.
            Err(_) => panicked = true,
        }
        if store.connection.is_autocommit() {
            // A full disk, for instance, makes SQLite undo the whole transaction.
            undone = Some(Arc::from("the database has undone all that waited together"));
        }
    }
    let committed: Result<(), Arc<str>> = if let Some(why) = undone {
        Err(why)
    } else if panicked {
        Err("another task of the database broke off".into())
    } else {
        store.connection.execute_batch("COMMIT").map_err(|error| causes(&error).to_string().into())
    };
    match committed {
        Ok(()) => answers.into_iter().for_each(|answer| answer(None)),
        Err(why) => {
            if !store.connection.is_autocommit()
                && let Err(error) = store.connection.execute_batch("ROLLBACK")
            {
                tracing::error!(error = %causes(&error), "cannot undo work on the database");
            }
            answers
                .into_iter()
                .for_each(|answer| answer(Some(DbError::Together(Arc::clone(&why)))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{test_name, test_store};
    use rusqlite::params;
    use std::sync::mpsc::channel;

    /// Holds the thread until the sender is dropped, so that what comes next waits together.
    async fn hold(db: &Db) -> std::sync::mpsc::Sender<()> {
        let (held, until) = channel::<()>();
        let (begun, begins) = oneshot::channel();
        let db = db.clone();
        tokio::spawn(async move {
            db.run(move |_| {
                begun.send(()).unwrap();
                Ok(until.recv().unwrap_err())
            })
            .await
        });
        begins.await.unwrap();
        held
    }

    type Added = Result<Option<i64>, DbError>;

    fn add(db: &Db, name: &'static str) -> tokio::task::JoinHandle<Added> {
        let db = db.clone();
        tokio::spawn(async move {
            db.run(move |store| store.add_account(&test_name(name), None, 1)).await
        })
    }

    async fn names(db: &Db) -> Vec<String> {
        let people = db.run(|store| store.people(0)).await.unwrap();
        people.into_iter().map(|one| one.name.to_string()).collect()
    }

    #[tokio::test]
    async fn what_waits_together_is_done_together_and_one_failure_is_its_own() {
        let db = Db::start(test_store()).unwrap();
        let held = hold(&db).await;
        let add = |name| add(&db, name);
        let (ada, twin, bob) = (add("Ada"), add("ada"), add("Bob"));
        let other = db.clone();
        let half = tokio::spawn(async move {
            other
                .run(|store| {
                    store.atomically(|part| {
                        part.execute(
                            "INSERT INTO accounts (name, created) VALUES (?1, 1)",
                            params!["Eve"],
                        )?;
                        Err::<(), _>(DbError::Damaged("test"))
                    })
                })
                .await
        });
        until_waiting(&db, 4).await;
        drop(held);
        assert!(ada.await.unwrap().unwrap().is_some());
        assert_eq!(twin.await.unwrap().unwrap(), None);
        assert!(bob.await.unwrap().unwrap().is_some());
        assert!(matches!(half.await.unwrap(), Err(DbError::Damaged("test"))));
        assert_eq!(names(&db).await, ["Ada", "Bob"]);
    }

    #[tokio::test]
    async fn what_the_database_undoes_by_itself_is_undone_for_all_who_waited() {
        let db = Db::start(test_store()).unwrap();
        let held = hold(&db).await;
        let add = |name| add(&db, name);
        let ada = add("Ada");
        until_waiting(&db, 1).await;
        let other = db.clone();
        // As a full disk would, in the middle of somebody's work.
        let fails = tokio::spawn(async move {
            other.run(|store| Ok(store.connection.execute_batch("ROLLBACK")?)).await
        });
        until_waiting(&db, 2).await;
        let bob = add("Bob");
        until_waiting(&db, 3).await;
        drop(held);
        for told in
            [ada.await.unwrap().map(drop), fails.await.unwrap(), bob.await.unwrap().map(drop)]
        {
            assert!(matches!(told, Err(DbError::Together(_))), "{told:?}");
        }
        assert!(names(&db).await.is_empty());
        assert!(add("Eve").await.unwrap().unwrap().is_some(), "and it goes on");
    }

    async fn until_waiting(db: &Db, jobs: usize) {
        while db.0.capacity() > WAITING - jobs {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_job_that_panics_takes_nothing_else_down_and_leaves_nothing_behind() {
        let db = Db::start(test_store()).unwrap();
        let held = hold(&db).await;
        let (one, other) = (db.clone(), db.clone());
        let breaks = tokio::spawn(async move {
            one.run(|store| -> Result<(), DbError> {
                store.add_account(&test_name("Eve"), None, 1)?;
                panic!("on purpose")
            })
            .await
        });
        let beside = tokio::spawn(async move {
            other.run(|store| store.add_account(&test_name("Ada"), None, 1)).await
        });
        until_waiting(&db, 2).await;
        drop(held);
        assert!(matches!(breaks.await.unwrap(), Err(DbError::Lost)));
        assert!(matches!(beside.await.unwrap(), Err(DbError::Together(_))));
        assert_eq!(names(&db).await, [""; 0]);
    }
}
