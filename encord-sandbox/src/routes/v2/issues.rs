//! Issues that people and agents raise on data units, and their tags.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::{managed, writable};
use crate::routes::{Caller, JsonBody, Query, UuidPath, page};
use crate::store::{Anchor, Issue, IssueTag, Project, Role};

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/projects/{project}/issues", get(list).post(create))
        .route("/projects/{project}/issues/delete", post(delete))
        .route("/projects/{project}/issue-tags", get(tags).post(create_tags))
}

async fn list(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    let data = query.uuids("dataUnitId")?;
    let data = *data.first().ok_or_else(|| Refusal::Unprocessable("dataUnitId is missing".into()))?;
    platform.read(|store| {
        let (project, _) = store.project(project, &caller.who)?;
        let mut issues: Vec<&Issue> = store.issues_of(project.hash, data).collect();
        issues.sort_by_key(|issue| (issue.created_at, issue.uuid));
        page::cut(&query, 100, issues, |issue| show(project, issue)).map(Json)
    })
}

#[derive(Debug, Deserialize)]
struct NewIssues {
    issues: Vec<NewIssue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewIssue {
    anchor: Anchor,
    comment: String,
    #[serde(default)]
    issue_tags: Vec<String>,
}

async fn create(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
    JsonBody(body): JsonBody<NewIssues>,
) -> Answer<Json<Value>> {
    let now = Moment::now();
    platform.write(|store| {
        writable(store, project, &caller.who, "raise issues")?;
        let (found, _) = store.project(project, &caller.who)?;
        for issue in &body.issues {
            if !found.has_data(store, issue.anchor.data_uuid) {
                return Err(Refusal::Invalid(format!("project has no data unit {}", issue.anchor.data_uuid)));
            }
            issue.anchor.check().map_err(Refusal::Unprocessable)?;
            let unknown = issue.issue_tags.iter().find(|tag| found.tag(tag).is_none());
            if let Some(unknown) = unknown {
                return Err(Refusal::Invalid(format!("project has no issue tag \"{unknown}\"")));
            }
        }
        for issue in body.issues {
            store.add_issue(Issue {
                uuid: Uuid::new_v4(),
                project,
                anchor: issue.anchor,
                comment: issue.comment,
                author: caller.who.0.clone(),
                tags: issue.issue_tags,
                created_at: now,
            });
        }
        Ok(Json(Value::Null))
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deletion {
    issue_uuids: Vec<Uuid>,
}

async fn delete(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
    JsonBody(body): JsonBody<Deletion>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        let (_, role) = store.project(project, &caller.who)?;
        for uuid in &body.issue_uuids {
            let issue = store.issues.get(uuid).filter(|issue| issue.project == project);
            let issue = issue.ok_or_else(|| Refusal::NotFound(format!("project has no issue {uuid}")))?;
            // Issues on labels are rejections of them, which their authors cannot take back.
            let own = issue.author == caller.who.0 && !issue.anchor.is_on_label() && role.may_write();
            if role != Role::Admin && !own {
                return Err(Refusal::Forbidden(format!("issue {uuid} can be deleted by admins only")));
            }
        }
        body.issue_uuids.iter().for_each(|issue| store.remove_issue(*issue));
        Ok(Json(Value::Null))
    })
}

async fn tags(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let tags: Vec<&IssueTag> = store.project(project, &caller.who)?.0.issue_tags.iter().collect();
        page::cut(&query, 100, tags, |tag| json!(tag)).map(Json)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewTags {
    issue_tag_names: Vec<String>,
}

async fn create_tags(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
    JsonBody(body): JsonBody<NewTags>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        managed(store, project, &caller.who, "add issue tags")?;
        let Some(found) = store.projects.get_mut(&project) else { return Ok(Json(Value::Null)) };
        for name in body.issue_tag_names {
            if found.tag(&name).is_none() {
                found.issue_tags.push(IssueTag { uuid: Uuid::new_v4(), name });
            }
        }
        Ok(Json(json!(found.issue_tags)))
    })
}

fn show(project: &Project, issue: &Issue) -> Value {
    let anchor = &issue.anchor;
    let at = issue.created_at.iso();
    let mut shown = json!({
        "type": anchor.kind,
        "uuid": issue.uuid,
        "dataUuid": anchor.data_uuid,
        "comments": [{"content": issue.comment, "authorEmail": issue.author, "createdAt": at}],
        "tags": issue.tags.iter().filter_map(|name| project.tag(name)).collect::<Vec<_>>(),
        "resolutionHistory": [{"isResolved": false, "createdAt": at, "actorEmail": issue.author}],
        "spaceId": anchor.space_id,
    });
    if let Some(frame) = anchor.frame_index {
        shown["frameIndex"] = json!(frame);
    }
    if let (Some(x), Some(y)) = (anchor.x, anchor.y) {
        shown["coordinate"] = match anchor.z {
            Some(z) => json!({"x": x, "y": y, "z": z}),
            None => json!({"x": x, "y": y}),
        };
    }
    if let Some(ranges) = &anchor.frame_ranges {
        shown["frameRanges"] = json!(ranges);
    }
    if let Some(annotation) = &anchor.annotation_id {
        shown["annotationId"] = json!(annotation);
    }
    shown
}
