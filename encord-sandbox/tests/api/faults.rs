//! What goes wrong on demand, and the counters that tell.

use encord_sandbox::{DropWhen, FaultPlan, FaultRule};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::wire::images;

fn plan(rule: FaultRule) -> FaultPlan {
    FaultPlan { seed: 1, rules: vec![FaultRule { times: Some(1), ..rule }] }
}

#[tokio::test]
async fn an_endpoint_fails_as_often_as_it_should() {
    let (sandbox, wire, project, _) = images(1).await;
    let path = format!("/projects/{project}");
    let target = format!("/v2/public{path}");
    sandbox
        .set_faults(plan(FaultRule {
            endpoint: "GET /v2/public/projects/{project}".into(),
            status: Some(503),
            retry_after: Some(7),
            html: true,
            ..FaultRule::default()
        }))
        .unwrap();
    let faulty = wire.signed(reqwest::Method::GET, &target, None).send().await.unwrap();
    assert_eq!((faulty.status().as_u16(), faulty.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert!(faulty.text().await.unwrap().starts_with("<html>"));
    assert_eq!(wire.get(&path).await.status, StatusCode::OK);

    let counts = sandbox.requests();
    let endpoint = &counts.endpoints["GET /v2/public/projects/{project}"];
    assert_eq!((endpoint.count, endpoint.statuses[&503], endpoint.statuses[&200]), (2, 1, 1));
    assert!(endpoint.bytes_out > 100 && counts.total.count == 2);
    sandbox.reset_counters();
    assert_eq!(sandbox.requests().total.count, 0);
}

#[tokio::test]
async fn a_connection_dropped_after_the_effect_loses_the_answer_only() {
    for (when, stays) in [(DropWhen::Before, 1), (DropWhen::After, 0)] {
        let (sandbox, wire, project, stage) = images(1).await;
        let task = wire.tasks(project, stage).await.remove(0);
        let rule = FaultRule { endpoint: "POST */actions".into(), drop: Some(when), ..FaultRule::default() };
        sandbox.set_faults(plan(rule)).unwrap();
        let target = format!("/v2/public/projects/{project}/workflow/stages/{stage}/actions");
        let body = json!([{"taskUuid": task["uuid"], "action": "PATHWAY_ACTION", "pathwayName": "complete"}]);
        let answer = wire.signed(reqwest::Method::POST, &target, Some(&body)).send().await;
        assert!(answer.is_err(), "{when:?}: {answer:?}");
        assert_eq!(sandbox.state(project).unwrap().tasks_per_stage["Agent 1"], stays, "{when:?}");
    }
}

#[tokio::test]
async fn an_answer_can_end_early_and_a_url_can_expire() {
    let (sandbox, wire, project, _) = images(1).await;
    let rows = wire.rows(project, json!({})).await;
    let item = format!("/storage/items/{}?signUrl=True", rows[0]["backing_item_uuid"].as_str().unwrap());
    let url = wire.get(&item).await.ok()["signedUrl"].as_str().unwrap().to_owned();
    let blobs = |rule: FaultRule| plan(FaultRule { endpoint: "GET /_blobs/*".into(), ..rule });
    sandbox.set_faults(blobs(FaultRule { truncate: true, ..FaultRule::default() })).unwrap();
    let response = wire.http.get(&url).send().await.unwrap();
    assert!(response.bytes().await.is_err(), "half of the body is not a body");
    sandbox.set_faults(blobs(FaultRule { expired: true, ..FaultRule::default() })).unwrap();
    assert_eq!(wire.http.get(&url).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(wire.http.get(&url).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn v1_error_codes_and_the_control_endpoints() {
    let (sandbox, wire, project, _) = images(1).await;
    let faults = format!("{}/_sandbox/faults", sandbox.url());
    let rules = json!({"rules": [{"endpoint": "POST /public labelrowmetadata GET", "times": 1, "code": "RATE_LIMIT_ERROR"}]});
    assert_eq!(wire.http.put(&faults).body(rules.to_string()).send().await.unwrap().status(), StatusCode::OK);
    let scope = ("project", &*project.to_string());
    let answer = wire.v1(scope, "labelrowmetadata", "GET", Value::Null, json!({})).await;
    assert_eq!(answer["response"], json!(["RATE_LIMIT_ERROR"]));
    assert_eq!(wire.v1(scope, "labelrowmetadata", "GET", Value::Null, json!({})).await["status"], 200);

    let wrong = json!({"rules": [{"endpont": "*"}]});
    let refused = wire.http.put(&faults).body(wrong.to_string()).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let get = async |path: &str| {
        let response = wire.http.get(format!("{}{path}", sandbox.url())).send().await.unwrap();
        response.json::<Value>().await.unwrap()
    };
    assert_eq!(get("/_sandbox/requests").await["endpoints"]["POST /public labelrowmetadata GET"]["count"], 2);
    let state = get(&format!("/_sandbox/state/projects/{project}?documents=true")).await;
    assert_eq!((&state["tasks_per_stage"]["Agent 1"], &state["tasks"][0]["moved"]), (&json!(1), &json!(0)));
    assert_eq!(get("/_sandbox/journal").await["effects"], json!([]));
}
