//! What a user reads when the server says no, or nothing that makes sense: what was wrong, with which value, what to do.

use encord_client::Error;
use encord_labels::id::{ItemUuid, ProjectHash};
use encord_sandbox::{DropWhen, FaultRule};

use super::{World, fault};

/// The message of a read that meets this fault; both generations of the interface.
async fn told(rule: impl Fn(&str) -> FaultRule) -> [(Error, String); 2] {
    let world = World::images(1).await;
    let item = ItemUuid::random();
    world.faults([rule("*")]);
    let newer = world.client.storage_item(item, false).await.unwrap_err();
    let older = world.project.label_rows(&Default::default()).await.unwrap_err();
    [newer, older].map(|error| {
        let text = error.to_string();
        assert!(!text.contains('\n') && !text.contains("encord-sig"), "{text}");
        assert!(text.chars().next().unwrap().is_lowercase() || text.starts_with(['G', 'P']), "{text}");
        (error, text)
    })
}

fn status(status: u16) -> impl Fn(&str) -> FaultRule {
    move |endpoint| FaultRule { status: Some(status), retry_after: Some(0), ..fault(endpoint) }
}

#[tokio::test]
async fn statuses_are_told_with_what_to_do() {
    for (code, advice) in [
        (401, "check that the key is registered"),
        (403, "the user of this key is a member"),
        (404, "check the id and the domain"),
        (413, "send fewer items per request"),
        (429, "try again later"),
        (500, "quote the trace id"),
        (503, "quote the trace id"),
    ] {
        let [(error, text), _] = told(status(code)).await;
        assert!(text.contains(advice), "{code}: {text}");
        assert_eq!(error.status(), Some(code), "{text}");
        assert!(text.contains("127.0.0.1"), "{code} does not say which server: {text}");
    }
}

#[tokio::test]
async fn answers_that_are_none_are_told_as_such() {
    for [newer, older] in [
        told(|endpoint| FaultRule { html: true, ..fault(endpoint) }).await,
        told(|endpoint| FaultRule { truncate: true, ..fault(endpoint) }).await,
        told(|endpoint| FaultRule { drop: Some(DropWhen::Before), ..fault(endpoint) }).await,
    ] {
        for (error, text) in [newer, older] {
            assert!(matches!(error, Error::Protocol { .. } | Error::Transport { .. }), "{error:?}");
            assert!(
                text.contains("127.0.0.1")
                    && ["check", "is the domain right"].iter().any(|advice| text.contains(advice)),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn the_value_that_was_wrong_is_in_the_message() {
    let world = World::images(1).await;
    let (project, item) = (ProjectHash::random(), ItemUuid::random());
    for (error, value) in [
        (world.client.project(project).await.unwrap_err(), project.to_string()),
        (world.client.storage_item(item, false).await.unwrap_err(), item.to_string()),
    ] {
        assert!(error.to_string().contains(&value), "{error}");
    }
}
