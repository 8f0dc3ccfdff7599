//! Storage items and folders.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::wire::images;

#[tokio::test]
async fn bulk_reads_keep_the_order_of_the_request() {
    let (_sandbox, wire, project, _) = images(5).await;
    let rows = wire.rows(project, json!({})).await;
    let mut wanted: Vec<Value> = rows.iter().rev().map(|row| row["backing_item_uuid"].clone()).collect();
    wanted.push(wanted[0].clone());
    let body = json!({"itemUuids": wanted, "signUrls": true});
    let items = wire.post("/storage/items/get-bulk", body).await.ok();
    let found: Vec<Value> =
        items["results"].as_array().unwrap().iter().map(|item| item["uuid"].clone()).collect();
    assert_eq!(found, wanted);
    assert!(items["results"][0]["signedUrl"].is_string());
    assert_eq!(
        wire.post("/storage/items/get-bulk", json!({"itemUuids": []})).await.ok()["results"],
        json!([])
    );
    assert_eq!(wire.get(&format!("/storage/items/{}", Uuid::new_v4())).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn client_metadata_has_the_form_of_each_api() {
    let (_sandbox, wire, project, _) = images(1).await;
    let rows = wire.rows(project, json!({"include_client_metadata": true})).await;
    let path = format!("/storage/items/{}", rows[0]["backing_item_uuid"].as_str().unwrap());
    let item = wire.get(&path).await.ok();
    assert_eq!((&item["clientMetadata"], &rows[0]["client_metadata"]), (&json!("{}"), &Value::Null));
    let patch = format!(
        "/storage/folders/{}/items/{}",
        item["parent"].as_str().unwrap(),
        item["uuid"].as_str().unwrap()
    );
    let body = json!({"clientMetadata": {"a": "c", "n": null}, "name": "../../etc/passwd"});
    let changed = wire.v2(Method::PATCH, &patch, Some(&body)).await.ok();
    assert_eq!(changed["clientMetadata"], json!("{\"a\":\"c\",\"n\":null}"));
    let rows = wire
        .rows(project, json!({"include_client_metadata": true, "client_metadata_as_signed_url": true}))
        .await;
    assert_eq!(
        (&rows[0]["client_metadata"], &rows[0]["data_title"]),
        (&json!({"a": "c", "n": null}), &body["name"])
    );
    let link = wire.http.get(rows[0]["client_metadata_signed_url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(link.json::<Value>().await.unwrap(), body["clientMetadata"]);
}

#[tokio::test]
async fn folders_form_a_tree() {
    let (_sandbox, wire, _, _) = images(1).await;
    let create = async |body: Value| wire.post("/storage/folders", body).await;
    let top = create(json!({"name": "top", "clientMetadata": "{\"k\": 1}"})).await.ok();
    let below = create(json!({"name": "below", "parent": top["uuid"]})).await.ok();
    assert_eq!(below["pathToRoot"][0]["uuid"], top["uuid"]);
    assert_eq!(create(json!({"name": "x", "parent": Uuid::new_v4()})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        create(json!({"name": "x", "clientMetadata": "["})).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let names = async |path: &str| {
        let page = wire.get(path).await.ok();
        page["results"].as_array().unwrap().iter().map(|folder| folder["name"].clone()).collect::<Vec<_>>()
    };
    assert!(!names("/storage/folders").await.contains(&json!("below")));
    assert_eq!(names("/storage/search/folders?search=BEL").await, [json!("below")]);
    let inside = json!({"folderUuids": [top["uuid"]], "newParentUuid": below["uuid"]});
    assert_eq!(wire.post("/storage/folders/move", inside).await.status, StatusCode::BAD_REQUEST);
    let path = |folder: &Value| format!("/storage/folders/{}", folder["uuid"].as_str().unwrap());
    assert_eq!(wire.v2(Method::DELETE, &path(&top), None).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(wire.v2(Method::DELETE, &path(&below), None).await.status, StatusCode::OK);
    assert_eq!(wire.v2(Method::DELETE, &path(&top), None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn collections_hold_items_and_the_schema_is_kept() {
    let (_sandbox, wire, project, _) = images(2).await;
    let item = wire.rows(project, json!({})).await[0]["backing_item_uuid"].clone();
    let folder = wire.get(&format!("/storage/items/{}", item.as_str().unwrap())).await.ok()["parent"].take();
    let collections = format!("/index/collections?topLevelFolderUuid={}", folder.as_str().unwrap());
    let made = wire.post(&collections, json!({"name": "c", "description": "d"})).await.ok();
    let path = format!("/index/collections/{}", made.as_str().unwrap());
    let stranger = json!(Uuid::new_v4());
    let added =
        wire.post(&format!("{path}/add-items"), json!({"itemUuids": [item, item, stranger]})).await.ok();
    assert_eq!(added["failedItems"], json!([stranger]));
    let held = wire.get(&format!("{path}/accessible-items")).await.ok();
    assert_eq!((held["results"].as_array().unwrap().len(), &held["results"][0]["uuid"]), (1, &item));
    wire.v2(Method::PATCH, &path, Some(&json!({"name": "e"}))).await.ok();
    let listed = wire.get(&collections).await.ok();
    assert_eq!(
        (&listed["results"][0]["name"], &listed["results"][0]["description"]),
        (&json!("e"), &json!("d"))
    );
    wire.post(&format!("{path}/remove-items"), json!({"itemUuids": [item]})).await.ok();
    assert_eq!(wire.get(&format!("{path}/accessible-items")).await.ok()["results"], json!([]));
    wire.v2(Method::DELETE, &path, None).await.ok();
    assert_eq!(wire.get(&collections).await.ok()["results"], json!([]));

    let schema = "/organisation/client-metadata-schema-v2";
    assert_eq!(wire.get(schema).await.ok(), Value::Null);
    let kinds = json!({"k": {"ty": "variant", "hint": "number"}});
    wire.post(schema, kinds.clone()).await.ok();
    assert_eq!(wire.get(schema).await.ok(), kinds);
}

#[tokio::test]
async fn data_groups_are_made_of_items() {
    let (_sandbox, wire, project, _) = images(2).await;
    let rows = wire.rows(project, json!({})).await;
    let [first, second] = [0, 1].map(|index: usize| rows[index]["backing_item_uuid"].clone());
    let item = wire.get(&format!("/storage/items/{}", first.as_str().unwrap())).await.ok();
    let folder = format!("/storage/folders/{}", item["parent"].as_str().unwrap());
    let create = format!("{folder}/create-group-items");
    let groups = json!([
        {"layoutType": "default-list", "layoutContents": [first, second], "name": "list"},
        {"layoutType": "custom", "layoutContents": {"left": second, "right": first}, "name": "custom"},
    ]);
    let made = wire.post(&create, groups).await.ok();
    let path = |index: usize, tail: &str| format!("{folder}/items/{}/{tail}", made[index].as_str().unwrap());
    let children = wire.get(&path(0, "child-items?signUrls=True")).await.ok();
    let uuids: Vec<Value> =
        children["results"].as_array().unwrap().iter().map(|item| item["uuid"].clone()).collect();
    assert_eq!(uuids, [first.clone(), second.clone()]);
    let summary = wire.get(&path(1, "summary?includeGroupLayout=True")).await.ok();
    assert_eq!(
        summary["groupLayout"]["layoutContents"],
        json!({"left": {"uuid": second}, "right": {"uuid": first}})
    );
    let summary = wire.get(&format!("{folder}/items/{}/summary", first.as_str().unwrap())).await.ok();
    assert_eq!((&summary["frameInGroups"], &summary["usedInDatasets"]), (&json!(2), &json!(1)));
    for wrong in [json!([]), json!({}), json!(["x"]), Value::Null] {
        let body = json!([{"layoutType": "default-list", "layoutContents": wrong}]);
        assert_eq!(wire.post(&create, body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn parts_of_an_item_stay_as_long_as_it_does() {
    let (_sandbox, wire, project, _) = images(1).await;
    let item = wire.rows(project, json!({})).await[0]["backing_item_uuid"].clone();
    let item = wire.get(&format!("/storage/items/{}", item.as_str().unwrap())).await.ok();
    let folder = format!("/storage/folders/{}", item["parent"].as_str().unwrap());
    let urls = json!({"itemType": "plainText", "count": 2});
    let urls = wire.post(&format!("{folder}/upload-signed-urls"), urls).await.ok();
    let texts = urls["results"].as_array().unwrap().iter().map(|url| json!({"objectUrl": url["objectKey"]}));
    let texts: Vec<Value> = texts.collect();
    for url in urls["results"].as_array().unwrap() {
        wire.http.put(url["signedUrl"].as_str().unwrap()).body("words").send().await.unwrap();
    }
    let job = json!({"dataItems": {"text": texts}, "ignoreErrors": false});
    wire.post(&format!("{folder}/data-upload-jobs"), job).await.ok();
    let [first, second] = [0, 1].map(|index: usize| urls["results"][index]["itemUuid"].clone());
    let group = json!([{"layoutContents": [first, second], "name": "pair"}]);
    let group = wire.post(&format!("{folder}/create-group-items"), group).await.ok()[0].take();
    let delete = async |items: Value, frames: bool| {
        let body = json!({"childUuids": items, "removeUnusedFrames": frames});
        wire.post(&format!("{folder}/items/delete"), body).await.status
    };
    let exists = async |item: &Value| {
        wire.get(&format!("/storage/items/{}", item.as_str().unwrap())).await.status == StatusCode::OK
    };
    assert_eq!(delete(json!([first]), false).await, StatusCode::BAD_REQUEST);
    assert!(exists(&first).await && exists(&group).await);
    assert_eq!(delete(json!([group, first]), true).await, StatusCode::OK, "together with the whole");
    assert!(!exists(&group).await && !exists(&first).await && !exists(&second).await);
}
