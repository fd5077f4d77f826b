"""办件操作接口 the operations on cases as JSON: the same verbs as the screens call, so the same scope and the same refusals.

They take a token alone, never a cookie: no other site can have a browser post here.
"""

from typing import Any, BinaryIO, ClassVar, cast

from flask import jsonify, request, url_for
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.security.decorators import permission_name, protect
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.kit.filing import files_root
from app.kit.flow import FLOWS, open_case, save_draft, submit, withdraw
from app.kit.flow.material import add_material, remove_material
from app.kit.jobs.job import enqueue
from app.kit.operation import NotFound, Refused, get
from app.kit.screen.api import SaysWhy
from app.models import Case, CaseStep, JobRun, JobState, among, db, setting_int
from app.operations.cases.batches import DECIDE, decide_at_once, parse
from app.views.cases.words import ACTS

GATES = frozenset({"originals", "meeting_id", "resolution"})  # what a step may ask for beside columns of its case


class Misunderstood(Refused):
    """The request itself is wrong: a field is missing, unknown or of another kind."""

    status = 422


class CaseOperationApi(SaysWhy, BaseApi):
    """Open, fill in, hand in, take back and decide cases."""

    resource_name = "case"
    openapi_spec_tag = "CaseOperationApi"
    base_permissions = ["can_open", "can_decide"]
    needs_of: ClassVar = {"can_open": Permission.CASE_OPEN, "can_decide": Permission.CASE_DECIDE}

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        return cls.needs_of

    @expose("/", methods=["POST"])
    @protect()
    @permission_name("open")
    def open(self):
        """Open a draft.
        ---
        post:
          description: >-
            Open a draft of a procedure for a student. `values` are the fields of its form;
            `late_reason` is the registry's exception outside the window.
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [flow, student_id]
                  properties:
                    flow: {type: string, example: leave}
                    student_id: {type: integer}
                    values: {type: object}
                    late_reason: {type: string, nullable: true}
          responses:
            201: {description: "The case: {id, number, flow, state, step_key}"}
            401: {$ref: '#/components/responses/401'}
            403: {description: The role may not, or the student is not hers}
            404: {description: No such student within reach}
            409: {description: Refused; the message says why}
            422: {description: "Values that cannot be; `fields` says of each what is wrong"}
        """
        body = fields(flow=str, student_id=int, values=(dict, {}), late_reason=(str, None))
        flow = FLOWS.get(body["flow"])
        if flow is None:
            raise Misunderstood(_("There is no procedure “%(key)s”. There are: %(known)s.",
                                  key=body["flow"][:40], known=", ".join(FLOWS)))  # fmt: skip
        case = open_case(current_actor(), flow, body["student_id"], body["values"],
                         late_reason=(body["late_reason"] or "").strip() or None)  # fmt: skip
        return told(case, 201)

    @expose("/<int:case_id>", methods=["PUT"])
    @protect()
    @permission_name("open")
    def save(self, case_id: int):
        """Fill in a draft.
        ---
        put:
          description: Fill in a draft, or a case that was sent back; fields not named stay as they are.
          parameters:
          - {in: path, name: case_id, required: true, schema: {type: integer}}
          requestBody:
            required: true
            content:
              application/json:
                schema: {type: object, required: [values], properties: {values: {type: object}}}
          responses:
            200: {description: The case}
            409: {description: Refused; the message says why}
            422: {description: "Values that cannot be; `fields` says of each what is wrong"}
        """
        return told(save_draft(current_actor(), case_id, fields(values=dict)["values"]))

    @expose("/<int:case_id>/material/<kind>", methods=["POST"])
    @protect()
    @permission_name("open")
    def attach(self, case_id: int, kind: str):
        """Attach a scan.
        ---
        post:
          description: Attach a scan (JPG, PNG, WebP or PDF) to a case that is with its applicant.
          parameters:
          - {in: path, name: case_id, required: true, schema: {type: integer}}
          - {in: path, name: kind, required: true, schema: {type: string}}
          requestBody:
            required: true
            content:
              multipart/form-data:
                schema: {type: object, properties: {file: {type: string, format: binary}}}
          responses:
            201: {description: "The material: {id, kind, file_name, content_type, size, sha256}"}
            409: {description: Refused; the message says why}
            413: {description: Larger than the school allows}
        """
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise Misunderstood(_("Send the scan as the part “file” of a multipart form."))
        stream = cast(BinaryIO, sent.stream)
        made = add_material(current_actor(), case_id, kind, stream, sent.filename, files_root=files_root())
        shown = ("id", "kind", "file_name", "content_type", "size", "sha256")
        return jsonify({name: getattr(made, name) for name in shown}), 201

    @expose("/material/<int:material_id>", methods=["DELETE"])
    @protect()
    @permission_name("open")
    def detach(self, material_id: int):
        """Take a scan off.
        ---
        delete:
          description: Take a scan off a case that is with its applicant.
          parameters:
          - {in: path, name: material_id, required: true, schema: {type: integer}}
          responses:
            200: {description: The case}
        """
        return told(remove_material(current_actor(), material_id))

    @expose("/<int:case_id>/submit", methods=["POST"])
    @protect()
    @permission_name("open")
    def hand_in(self, case_id: int):
        """Hand a case in.
        ---
        post:
          description: Hand a case in, or in again; everything that its procedure asks for is checked.
          parameters:
          - {in: path, name: case_id, required: true, schema: {type: integer}}
          responses:
            200: {description: The case}
            409: {description: Refused; the message says what lacks}
        """
        return told(submit(current_actor(), case_id))

    @expose("/<int:case_id>/withdraw", methods=["POST"])
    @protect()
    @permission_name("open")
    def take_back(self, case_id: int):
        """Take a case back.
        ---
        post:
          description: Take a case back; possible until academic affairs has signed.
          parameters:
          - {in: path, name: case_id, required: true, schema: {type: integer}}
          requestBody:
            content:
              application/json:
                schema: {type: object, properties: {reason: {type: string}}}
          responses:
            200: {description: The case}
            409: {description: Refused; the message says why}
        """
        return told(withdraw(current_actor(), case_id, fields(reason=(str, None))["reason"]))

    @expose("/decide", methods=["POST"])
    @protect()
    @permission_name("decide")
    def decide(self):
        """Decide cases.
        ---
        post:
          description: >-
            Decide one case or many, each at the step where it was seen, in one act with a result for each.
            Beyond the setting `batch_job_rows` it runs as a job: 202, and the result under `url`.
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [cases, act]
                  properties:
                    cases:
                      type: array
                      items:
                        type: object
                        required: [id, step]
                        properties: {id: {type: integer}, step: {type: string}}
                    act: {type: string, enum: [approve, send_back, refuse]}
                    opinion: {type: string, nullable: true}
                    records: {type: object, description: what the step records}
                    to: {type: string, enum: [previous, applicant]}
          responses:
            200: {description: "{id, state, decided, refused, rows: [{id, number, subject, done, reason}]}"}
            202: {description: "{id, state, url}: a job decides them"}
            422: {$ref: '#/components/responses/422'}
        """
        body = fields(cases=list, act=str, opinion=(str, None), records=(dict, {}), to=(str, "previous"))
        steps, total = chosen(body["cases"]), len(body["cases"])
        if body["act"] not in ("approve", "send_back", "refuse"):
            raise Misunderstood(_("There is no such decision."))
        for name, value in body["records"].items():
            if isinstance(value, dict | list):
                raise Misunderstood(_("%(field)s: %(value)s cannot be read.", field=name[:40], value=str(value)[:40]))
        if unknown := sorted(body["records"].keys() - recorded(steps)):
            raise Misunderstood(_("This form has no field %(fields)s.", fields=", ".join(unknown)[:200]))
        actor, title = current_actor(), gettext("%(act)s: %(n)s cases", act=ACTS[body["act"]]["label"], n=total)
        decision = {key: body[key] for key in ("act", "opinion", "to")} | {"records": body["records"] or None}
        if total > setting_int("batch_job_rows"):
            run = enqueue(actor, DECIDE, title, {"steps": steps, **decision})
            db.session.commit()
        else:
            run = decide_at_once(actor, title, steps, **decision)
        return outcome(run)

    @expose("/decide/<int:run_id>", methods=["GET"])
    @protect()
    @permission_name("decide")
    def decided(self, run_id: int):
        """The result of a decision.
        ---
        get:
          description: What became of a decision of one's own; 202 while a job is at it.
          parameters:
          - {in: path, name: run_id, required: true, schema: {type: integer}}
          responses:
            200: {description: "{id, state, decided, refused, rows: [{id, number, subject, done, reason}]}"}
            202: {description: "{id, state, url}"}
            404: {$ref: '#/components/responses/404'}
        """
        run = get(JobRun, run_id)
        if run.kind != DECIDE:
            raise NotFound(_("There is no such record, or it is not one of yours."))
        return outcome(run)


def fields(**declared: Any) -> dict[str, Any]:
    """The JSON body by name → kind, or name → (kind, value when absent). Raises Misunderstood."""
    body = request.get_json(silent=True) if request.data else {}
    if not isinstance(body, dict):
        raise Misunderstood(_("Send a JSON object."))
    if unknown := sorted(body.keys() - declared.keys()):
        raise Misunderstood(_("This form has no field %(fields)s.", fields=", ".join(unknown)[:200]))
    found = {}
    for name, kind in declared.items():
        optional = isinstance(kind, tuple)
        kind, value = kind if optional else (kind, None)
        value = value if optional and body.get(name) is None else body.get(name)
        fits = isinstance(value, kind) and not isinstance(value, bool) and not (kind is int and abs(value) >= 2**63)
        if not fits and not (optional and value is None):
            raise Misunderstood(_("%(field)s: %(value)s cannot be read.", field=name, value=str(value)[:40]))
        found[name] = value
    return found


def chosen(cases: list[Any]) -> dict[str, list[int]]:
    """Step → ids, of [{id, step}, …]. Raises Misunderstood."""
    if not cases:
        raise Misunderstood(_("Select at least one case."))
    for one in cases:
        fits = isinstance(one, dict) and type(one.get("id")) is int and isinstance(one.get("step"), str)
        if not fits or not 0 < one["id"] < 10**18:
            raise Misunderstood(_("%(field)s: %(value)s cannot be read.", field="cases", value=str(one)[:40]))
    return parse(f"{one['id']}:{one['step']}" for one in cases)


def recorded(steps: dict[str, list[int]]) -> frozenset[str]:
    """What the steps of these cases may record."""
    ids = [number for numbers in steps.values() for number in numbers]
    query = select(CaseStep.declared).where(among(CaseStep.case_id, ids), CaseStep.key.in_(steps)).distinct()
    return GATES.union(*(declared["records"] for declared in db.session.scalars(query)))


def told(case: Case, status: int = 200):
    shown = ("id", "number", "flow", "state", "step_key", "student_id")
    return jsonify({name: getattr(case, name) for name in shown}), status


def outcome(run: JobRun):
    told = {"id": run.id, "state": run.state}
    if run.state in (JobState.QUEUED, JobState.RUNNING):
        return jsonify(told | {"url": url_for("CaseOperationApi.decided", run_id=run.id)}), 202
    names = ("id", "number", "subject", "done", "reason")
    rows = [dict(zip(names, row, strict=True)) for row in run.result.get("rows", [])]
    told |= {"decided": run.result.get("decided", 0), "refused": run.result.get("refused", 0), "rows": rows}
    return jsonify(told | {"message": str(run.message) if run.message else None})
