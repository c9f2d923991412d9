// What we ask GitLab, in the types of @gitbeaker/core: they are cut out by slice_types.py.
import type {
  AllMergeRequestsOptions,
  BranchSchema,
  CommitSchema,
  CreateCommitOptions,
  CreateMergeRequestOptions,
  EditMergeRequestOptions,
  ExpandedMergeRequestSchema,
  MergeRequestNoteSchema,
  MergeRequestSchemaWithBasicLabels,
  ProjectSchema,
  RepositoryFileExpandedSchema,
  SimpleUserSchema,
} from "@gitbeaker/core";

type Paged = { page?: number; perPage?: number };

export interface Operations {
  "GET /projects/{id}": { answer: ProjectSchema };
  "GET /projects/{id}/repository/branches/{branch}": { answer: BranchSchema };
  "DELETE /projects/{id}/repository/branches/{branch}": {};
  "GET /projects/{id}/repository/commits/{sha}": { answer: CommitSchema };
  "POST /projects/{id}/repository/commits": {
    body: CreateCommitOptions & { branch: string; commitMessage: string };
    answer: CommitSchema;
  };
  "GET /projects/{id}/repository/files/{path}": {
    query: { ref: string };
    answer: RepositoryFileExpandedSchema;
  };
  "GET /projects/{id}/merge_requests": {
    query: AllMergeRequestsOptions & Paged;
    answer: MergeRequestSchemaWithBasicLabels[];
  };
  "POST /projects/{id}/merge_requests": {
    body: CreateMergeRequestOptions & { sourceBranch: string; targetBranch: string; title: string };
    answer: ExpandedMergeRequestSchema;
  };
  "GET /projects/{id}/merge_requests/{iid}": { answer: ExpandedMergeRequestSchema };
  "PUT /projects/{id}/merge_requests/{iid}": {
    body: EditMergeRequestOptions;
    answer: ExpandedMergeRequestSchema;
  };
  "POST /projects/{id}/merge_requests/{iid}/notes": {
    body: { body: string };
    answer: MergeRequestNoteSchema;
  };
  "GET /users": { query: { username: string }; answer: SimpleUserSchema[] };
}
