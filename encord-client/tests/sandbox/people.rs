//! What people do at their stages: reviews, consensus, assignments, issues, completing and reopening.

use encord_client::{
    InitialiseArgs, IssueAnchor, LabelRowFilter, NewIssue, ReviewAction, ReviewStatus, StageKind, TaskAction,
    TaskFilter, TaskStatus,
};
use encord_labels::ObjectInstance;
use encord_labels::id::StageUuid;
use encord_labels::shape::BoundingBox;
use encord_sandbox::{Sandbox, SandboxBuilder};
use futures::TryStreamExt;
use serde_json::json;

use super::World;

/// Annotate, then review; one picture.
fn reviewed() -> SandboxBuilder {
    let class = json!({
        "id": "1", "name": "Box", "color": "#D33115", "shape": "bounding_box", "featureNodeHash": "be7f1a6b",
        "required": false, "archived": false, "attributes": [],
    });
    Sandbox::builder()
        .project("cats")
        .ontology(json!({"objects": [class], "classifications": []}))
        .stage("ANNOTATION", "Annotate")
        .stage("REVIEW", "Review")
        .images(1)
}

impl World {
    fn stage(&self, title: &str) -> StageUuid {
        self.project.stages().iter().find(|stage| stage.title == title).unwrap().uuid
    }
}

#[tokio::test]
async fn single_labels_are_reviewed() {
    let world = World::new(reviewed()).await;
    let (project, filter) = (&world.project, TaskFilter::new());
    let mut rows = project.label_rows(&LabelRowFilter::new()).await.unwrap();
    project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    for _ in 0..2 {
        let mut object = ObjectInstance::new(&project.ontology().objects()[0]);
        object.set(0, BoundingBox::new(0.1, 0.1, 0.5, 0.5).unwrap()).unwrap();
        rows[0].add_object(object).unwrap();
    }
    project.save_labels(&[&rows[0]], false).await.unwrap();
    let [annotate, review] = ["Annotate", "Review"].map(|title| world.stage(title));
    let tasks: Vec<_> = project.annotation_tasks(annotate, &filter).try_collect().await.unwrap();
    project.act(annotate, &[TaskAction::submit(tasks[0].uuid)]).await.unwrap();

    let task = project.review_tasks(review, &filter).try_collect::<Vec<_>>().await.unwrap()[0].uuid;
    let reviews: Vec<_> = project.label_reviews(review, task).try_collect().await.unwrap();
    assert_eq!(reviews.len(), 2);
    assert!(reviews.iter().all(|one| one.status == ReviewStatus::New));
    let actions = [
        ReviewAction::approve(reviews[0].uuid),
        ReviewAction::reject(reviews[1].uuid).with_comment("too large"),
    ];
    project.act_on_reviews(review, task, &actions).await.unwrap();
    let after: Vec<_> = project.label_reviews(review, task).try_collect().await.unwrap();
    let status = |uuid| after.iter().find(|one| one.uuid == uuid).unwrap().status;
    assert_eq!(status(reviews[0].uuid), ReviewStatus::Approved);
    assert_eq!(status(reviews[1].uuid), ReviewStatus::Rejected);
    project.act_on_reviews(review, task, &[ReviewAction::reopen(reviews[1].uuid)]).await.unwrap();
    let after: Vec<_> = project.label_reviews(review, task).try_collect().await.unwrap();
    assert!(after.iter().any(|one| one.status == ReviewStatus::Reopened));

    project.act(review, &[TaskAction::reject(task).without_label_reviews()]).await.unwrap();
    let back: Vec<_> = project.annotation_tasks(annotate, &filter).try_collect().await.unwrap();
    assert_eq!((back[0].uuid, back[0].status), (task, TaskStatus::Reopened));
}

#[tokio::test]
async fn tasks_are_assigned_and_released() {
    let world = World::new(reviewed()).await;
    let (project, stage) = (&world.project, world.stage("Annotate"));
    let of = |email: &str| TaskFilter::new().with_user_emails([email.to_owned()]);
    let all: Vec<_> = project.annotation_tasks(stage, &TaskFilter::new()).try_collect().await.unwrap();
    project.act(stage, &[TaskAction::assign(all[0].uuid, "ana@example.org")]).await.unwrap();
    let hers: Vec<_> = project.annotation_tasks(stage, &of("ana@example.org")).try_collect().await.unwrap();
    assert_eq!(hers[0].assignee.as_deref(), Some("ana@example.org"));
    let his: Vec<_> = project.annotation_tasks(stage, &of("bob@example.org")).try_collect().await.unwrap();
    assert!(his.is_empty());
    project.act(stage, &[TaskAction::release(all[0].uuid)]).await.unwrap();
    let released = TaskFilter::new().with_statuses([TaskStatus::Released]);
    let free: Vec<_> = project.annotation_tasks(stage, &released).try_collect().await.unwrap();
    assert_eq!((free.len(), free[0].assignee.as_deref()), (1, None));
}

#[tokio::test]
async fn consensus_waits_for_everybody_and_is_judged() {
    let builder = Sandbox::builder()
        .project("cats")
        .stage("CONSENSUS_ANNOTATION", "Label")
        .stage("CONSENSUS_REVIEW", "Judge")
        .images(2);
    let world = World::new(builder).await;
    let (project, filter) = (&world.project, TaskFilter::new());
    let [label, judge, done] = ["Label", "Judge", "Complete"].map(|title| world.stage(title));
    let kinds: Vec<_> = project.stages().iter().map(|stage| &stage.kind).collect();
    assert!(matches!(
        kinds[..],
        [StageKind::ConsensusAnnotation, StageKind::ConsensusReview, StageKind::Done]
    ));
    let tasks: Vec<_> = project.consensus_annotation_tasks(label, &filter).try_collect().await.unwrap();
    assert!(tasks.iter().all(|task| task.subtasks.len() == 2));
    project.act(label, &[TaskAction::submit(tasks[0].subtasks[0].uuid)]).await.unwrap();
    assert_eq!(world.state().tasks_per_stage["Judge"], 0);
    for part in [&tasks[0].subtasks[1], &tasks[1].subtasks[0], &tasks[1].subtasks[1]] {
        project.act(label, &[TaskAction::submit(part.uuid)]).await.unwrap();
    }
    let judged: Vec<_> = project.consensus_review_tasks(judge, &filter).try_collect().await.unwrap();
    assert_eq!((judged.len(), judged[0].options.len()), (2, 2));
    assert_ne!(judged[0].options[0].label_branch_name, judged[0].options[1].label_branch_name);
    let actions =
        [TaskAction::approve_consensus(judged[0].uuid), TaskAction::reject_consensus(judged[1].uuid)];
    project.act(judge, &actions).await.unwrap();
    let finished: Vec<_> = project.done_tasks(done, &filter).try_collect().await.unwrap();
    assert_eq!(finished.iter().map(|task| task.uuid).collect::<Vec<_>>(), [judged[0].uuid]);
    // Statuses are not known at this kind of stage, and asking for them is told before anything is sent.
    let wrong = TaskFilter::new().with_statuses([TaskStatus::New]);
    project.consensus_annotation_tasks(label, &wrong).try_collect::<Vec<_>>().await.unwrap_err();
}

#[tokio::test]
async fn issues_are_raised_read_and_deleted() {
    let world = World::images(2).await;
    let project = &world.project;
    let data_uuid = world.tasks().await[0].data_hash;
    let issues = [
        NewIssue::new(IssueAnchor::DataUnit { data_uuid }, "too dark"),
        NewIssue::new(IssueAnchor::Frame { data_uuid, frame_index: 0 }, "blurred"),
        NewIssue::new(IssueAnchor::FrameCoordinate { data_uuid, frame_index: 0, x: 0.25, y: 0.5 }, "here"),
        NewIssue::new(IssueAnchor::Annotation { data_uuid, annotation_id: "abcd1234".into() }, "wrong class"),
    ];
    project.raise_issues(&issues).await.unwrap();
    let found: Vec<_> = project.issues(data_uuid).try_collect().await.unwrap();
    let said: Vec<_> = found.iter().map(|issue| issue.comments[0].content.as_str()).collect();
    assert_eq!(said.len(), 4);
    assert!(
        ["too dark", "blurred", "here", "wrong class"].iter().all(|text| said.contains(text)),
        "{said:?}"
    );
    let pinned = found.iter().find(|issue| issue.annotation_id.is_some()).unwrap();
    assert_eq!(pinned.anchor_type, "annotation");
    project.delete_issues(&[pinned.uuid]).await.unwrap();
    assert_eq!(project.issues(data_uuid).try_collect::<Vec<_>>().await.unwrap().len(), 3);
    project.delete_issues(&[]).await.unwrap();
    let tagged =
        NewIssue::new(IssueAnchor::DataUnit { data_uuid }, "x").with_tags(["no such tag".to_owned()]);
    let error = project.raise_issues(&[tagged]).await.unwrap_err();
    assert!(error.to_string().contains("no such tag"), "{error}");
}

#[tokio::test]
async fn rows_are_completed_and_reopened() {
    let world = World::images(2).await;
    let mut rows = world.project.label_rows(&LabelRowFilter::new()).await.unwrap();
    world.project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    let labels: Vec<_> = rows.iter().map(|row| row.metadata().label_hash().unwrap()).collect();
    world.project.complete(&labels).await.unwrap();
    assert_eq!(world.state().tasks_per_stage["Complete"], 2);
    let found =
        world.project.label_rows(&LabelRowFilter::new().with_label_hashes([labels[1]])).await.unwrap();
    assert_eq!(found[0].metadata().workflow_stage().unwrap().1, "Complete");
    world.project.reopen(&labels[..1]).await.unwrap();
    assert_eq!(world.state().tasks_per_stage["Agent 1"], 1);
}
