// What we ask Gitea and Forgejo, in the types of gitea-js, which are made from Gitea's own
// description: they are cut out by slice_types.py.
import type {
  Branch,
  ChangeFilesOptions,
  Comment,
  Commit,
  ContentsResponse,
  CreateIssueCommentOption,
  CreateLabelOption,
  CreatePullRequestOption,
  EditPullRequestOption,
  FilesResponse,
  IssueLabelsOption,
  Label,
  PullRequest,
  Repository,
} from "gitea-js";

type Paged = { page?: number; limit?: number };

export interface Operations {
  "GET /repos/{owner}/{repo}": { answer: Repository };
  "GET /repos/{owner}/{repo}/branches/{branch}": { answer: Branch };
  "DELETE /repos/{owner}/{repo}/branches/{branch}": {};
  "GET /repos/{owner}/{repo}/git/commits/{sha}": { answer: Commit };
  "GET /repos/{owner}/{repo}/contents/{filepath}": {
    query: { ref?: string };
    answer: ContentsResponse;
  };
  "POST /repos/{owner}/{repo}/contents": { body: ChangeFilesOptions; answer: FilesResponse };
  "GET /repos/{owner}/{repo}/pulls": {
    query: Paged & {
      state?: "open" | "closed" | "all";
      sort?: "oldest" | "recentupdate" | "leastupdate" | "mostcomment" | "leastcomment" | "priority";
    };
    answer: PullRequest[];
  };
  "POST /repos/{owner}/{repo}/pulls": { body: CreatePullRequestOption; answer: PullRequest };
  "GET /repos/{owner}/{repo}/pulls/{index}": { answer: PullRequest };
  "PATCH /repos/{owner}/{repo}/pulls/{index}": { body: EditPullRequestOption; answer: PullRequest };
  "GET /repos/{owner}/{repo}/labels": { query: Paged; answer: Label[] };
  "POST /repos/{owner}/{repo}/labels": { body: CreateLabelOption; answer: Label };
  "POST /repos/{owner}/{repo}/issues/{index}/labels": { body: IssueLabelsOption; answer: Label[] };
  "POST /repos/{owner}/{repo}/issues/{index}/comments": {
    body: CreateIssueCommentOption;
    answer: Comment;
  };
}
