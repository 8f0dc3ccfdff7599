//! Keys, tokens and the queries of signed links appear in no log line, no `Debug` form and no error.

#![allow(clippy::unwrap_used)]

mod captured;

use encord_client::{
    BearerToken, Client, Download, InitialiseArgs, LabelRowFilter, PrivateKey, RetryPolicy, TaskFilter,
};
use encord_sandbox::{FaultPlan, FaultRule, Sandbox};
use futures::TryStreamExt;

use crate::captured::Captured;

/// Does what an agent would, and what goes wrong for one; returns whatever may be shown to a user.
async fn session(sandbox: &Sandbox, client: &Client) -> Vec<String> {
    let project = client.project(sandbox.project("cats").unwrap().into()).await.unwrap();
    let stage = project.stages()[0].uuid;
    let tasks: Vec<_> = project.agent_tasks(stage, &TaskFilter::new()).try_collect().await.unwrap();
    let filter = LabelRowFilter::new().with_data_hashes(tasks.iter().map(|task| task.data_hash));
    let mut rows = project.label_rows(&filter).await.unwrap();
    let mut args = InitialiseArgs::default();
    args.include_signed_url = true;
    project.initialise_labels(&mut rows, &args).await.unwrap();
    let signed = rows[0].data_units().unwrap().next().unwrap()["data_link"].as_str().unwrap().to_owned();
    // As some listings have it, and some metadata.
    let metadata = rows[0].metadata_mut();
    metadata.set_client_metadata([("preview".to_owned(), signed.clone().into())].into_iter().collect());
    let uuid = rows[0].metadata().backing_item_uuid().unwrap();
    let item = client.storage_item(uuid, true).await.unwrap();
    let url = item.signed_url.clone().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image");
    let mut shown =
        vec![format!("{client:?} {project:?} {item:?} {rows:?} {:?}", Download::new(url.clone()))];
    client.download(Download::new(url.clone()), &file).await.unwrap();
    for rule in [
        FaultRule { status: Some(404), ..FaultRule::default() },
        FaultRule { expired: true, ..FaultRule::default() },
        FaultRule { truncate: true, ..FaultRule::default() },
    ] {
        let rule = FaultRule { endpoint: "GET /_blobs/*".into(), ..rule };
        sandbox.set_faults(FaultPlan { seed: 1, rules: vec![rule] }).unwrap();
        let error = client.download(Download::new(url.clone()), &file).await.unwrap_err();
        shown.push(format!("{error} {error:?}"));
    }
    let rule = FaultRule { endpoint: "*public*".into(), status: Some(401), ..FaultRule::default() };
    sandbox.set_faults(FaultPlan { seed: 1, rules: vec![rule] }).unwrap();
    let error = client.storage_item(uuid, true).await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    let error = project.label_rows(&filter).await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    sandbox.set_faults(FaultPlan::default()).unwrap();
    let query = |link: &str| link.split_once('?').unwrap().1.to_owned();
    shown.push(format!("{}&{}", query(url.expose()), query(&signed)));
    shown
}

#[tokio::test]
async fn no_secret_is_shown_at_any_level() {
    let captured = Captured::default();
    log::set_logger(Box::leak(Box::new(captured.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    tracing::subscriber::set_global_default(captured.subscriber(tracing::Level::TRACE)).unwrap();

    let sandbox = Sandbox::builder().project("cats").images(2).start().await.unwrap();
    let text = sandbox.private_key_openssh().unwrap().to_owned();
    let builder = || Client::builder().domain(sandbox.url()).retry(RetryPolicy::never());
    let key = PrivateKey::from_openssh(&text, None).unwrap();
    let by_key = builder().private_key(key.clone()).build().unwrap();
    let token = by_key.bearer_token().await.unwrap();
    let by_token = builder().bearer_token(BearerToken::new(token.expose())).build().unwrap();

    let mut secrets: Vec<String> =
        text.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect();
    secrets.push(token.expose().to_owned());
    let mut shown = vec![format!("{key:?} {token:?}")];
    for client in [&by_key, &by_token] {
        let mut said = session(&sandbox, client).await;
        // Single values of the query are secret as well; the time of expiry is not.
        let query = said.pop().unwrap();
        secrets.extend(
            query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned()),
        );
        shown.extend(said);
    }
    shown.push(captured.text());
    // Otherwise nothing was looked at.
    assert!(shown.last().unwrap().contains("hyper"), "nothing was logged");
    secrets.retain(|secret| secret.len() > 12);
    assert!(secrets.len() >= 6, "{}", secrets.len());
    for secret in &secrets {
        for text in &shown {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "shows {secret}");
        }
    }
}
