//! What all answers share.

use crate::world::World;

#[test]
fn it_runs_and_answers() {
    let world = World::shop();
    assert_eq!(world.json("/healthz")["status"], "ok");
    assert_eq!(world.json("/readyz")["status"], "ok");
    assert_eq!(world.get("/healthz").header("cache-control"), "no-store");
}

#[test]
fn what_is_not_there_is_a_problem() {
    let world = World::shop();
    let answer = world.get("/v1/nothing");
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found".to_owned()));
}
