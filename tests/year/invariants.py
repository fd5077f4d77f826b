"""What holds after every week, as SQL that finds what does not: written from the rules, by nothing of the product.

Each query may use :today and :since (a week before). A row is a fault.
"""

LEFT = "('waived', 'admission_cancelled', 'withdrawn', 'graduated', 'completed', 'attended', 'cancelled', 'transferred_out'," \
       " 'expelled', 'roster_cancelled')"  # fmt: skip
NO_ROSTER = "('info_change', 'card_replacement')"  # flows that write no entry
EFFECT = "(s.declared ->> 'takes_effect')::boolean"
MADE = f"exists (select from case_step s where s.case_id = c.id and s.state = 'done' and {EFFECT})"
UNFINISHED = "('draft', 'open', 'sent_back')"

LEDGER = {
    "a student is what her last entry says": """
        select s.id, s.status, r.new_status, s.class_group_id, r.new_class_group_id, s.grade, r.new_grade from student s
        left join lateral (select * from roster_change r where r.student_id = s.id order by r.id desc limit 1) r on true
        where (s.status, s.college_id, s.major_id, s.class_group_id, s.grade) is distinct from
            (r.new_status, r.new_college_id, r.new_major_id, r.new_class_group_id, r.new_grade)
            or r.new_study_length is not null and r.new_study_length <> s.study_length""",
    "an entry begins where the one before ended, in the order of days": """
        select * from (
            select r.id, r.student_id, r.effective_on, r.old_status, lag(r.new_status) over w as was,
                lag(r.effective_on) over w as before, r.old_class_group_id, lag(r.new_class_group_id) over w as class,
                r.old_major_id, lag(r.new_major_id) over w as major, r.old_grade, lag(r.new_grade) over w as grade
            from roster_change r window w as (partition by r.student_id order by r.id)) e
        where e.was is not null and (e.effective_on < e.before or (e.old_status, e.old_class_group_id, e.old_major_id,
            e.old_grade) is distinct from (e.was, e.class, e.major, e.grade))""",
    "no entry counts from a day to come, none is recorded later than now":
        "select id, effective_on, recorded_at from roster_change where effective_on > :today or recorded_at > year.now()",
    "an entry counts from the day of its flow": """
        select c.id, c.flow, r.effective_on, c.leave_from, c.return_on, c.died_on, s.decided_at
        from roster_change r join flow_case c on c.id = r.case_id
        join case_step s on s.case_id = c.id and s.state = 'done' and (s.declared ->> 'takes_effect')::boolean
        where r.undoes_id is null and r.effective_on <> case c.flow when 'leave' then c.leave_from when 'return' then c.return_on
            when 'cancellation' then c.died_on
            else s.decided_at::date end""",
    "one entry an effect, or one that waits for its day": f"""
        select c.id, c.flow, c.state, count(distinct r.id) as entries, count(distinct d.id) as waiting
        from flow_case c join case_step s on s.case_id = c.id and s.state = 'done' and {EFFECT}
        left join roster_change r on r.case_id = c.id
        left join dated_effect d on d.case_id = c.id and d.state <> 'applied'
        where c.flow not in {NO_ROSTER} group by c.id having count(distinct r.id) + count(distinct d.id) <> 1""",
    "no entry of a case that was not decided": f"""
        select c.id, c.flow, c.state from roster_change r join flow_case c on c.id = r.case_id where not {MADE}""",
    "what was decided for a day that has come is in force":
        "select id, case_id, effective_on from dated_effect where state = 'waiting' and effective_on <= :today",
    "no class, college or grade of another major": """
        select s.id, s.status, s.grade, s.major_id, g.id as class, g.grade as of_grade, g.major_id as of_major, m.college_id
        from student s join major m on m.id = s.major_id left join class_group g on g.id = s.class_group_id
        where s.id > 1000 and (m.college_id <> s.college_id or g.major_id <> s.major_id or g.grade <> s.grade)""",
}  # fmt: skip

CASES = {
    "an open case waits at a step, a closed one at none": """
        select c.id, c.flow, c.state, c.step_key, count(s.id) filter (where s.state = 'open') as open,
            count(s.id) filter (where s.state = 'waiting') as waiting
        from flow_case c left join case_step s on s.case_id = c.id group by c.id
        having (c.state = 'open') <> (count(s.id) filter (where s.state = 'open') > 0)
            or c.state in ('done', 'refused', 'withdrawn', 'ended') and count(s.id) filter (where s.state = 'waiting') > 0
            or (c.state in ('done', 'refused', 'withdrawn', 'ended')) <> (c.closed_at is not null)""",
    "every open step has somebody who can sign it, or is told as vacant": """
        select s.id, s.case_id, s.key, s.role, s.signing_college_id, s.assigned_to from case_step s
        where s.state = 'open' and not exists (
            select from ab_user u join identity i on i.user_id = u.id join identity_role t on t.identity_id = i.id
                join ab_role o on o.id = t.role_id
            where u.active and o.name = s.role and i.student_id is null
                and (i.college_id is null or i.college_id = s.signing_college_id)
                and i.department_id is not distinct from s.department_id
                and coalesce(s.assigned_to, u.id) = u.id
                and not exists (select from case_event e where e.case_id = s.case_id and e.actor_id = u.id and (
                    e.act in ('submit', 'resubmit') and s.declared -> 'hands_differ_from' ? 'submit'
                    or e.act = 'approve' and s.declared -> 'hands_differ_from' ? e.step_key)))
            and not exists (select from notice n where n.key like 'vacancy:' || s.role || ':%' and n.raised_at::date >= :since)""",
    "the college to which she belongs signs, or the one she goes to": """
        select s.id, s.case_id, s.key, s.signing_college_id, t.college_id from case_step s join flow_case c on c.id = s.case_id
        join student t on t.id = c.student_id left join major m on m.id = c.major_id
        where s.state = 'open' and s.signing_college_id <>
            case when (s.declared ->> 'target')::boolean then m.college_id else t.college_id end""",
    "nothing is open about who has left, but what follows from it": f"""
        select c.id, c.flow, c.state, c.step_key, t.id as student, t.status, l.case_id as ended_by
        from student t join flow_case c on c.student_id = t.id join lateral (
            select r.case_id from roster_change r where r.student_id = t.id order by r.id desc limit 1) l on true
        where t.status in {LEFT} and c.state in {UNFINISHED} and c.id is distinct from l.case_id
            and not (c.flow = 'appeal' and t.status in ('withdrawn', 'admission_cancelled', 'waived'))""",
    "nothing waits for a day, and nobody is away or due, who has left": f"""
        select t.id, t.status, d.id as effect, a.id as absence from student t
        left join dated_effect d on d.student_id = t.id and d.state = 'waiting'
        left join absence a on a.student_id = t.id and a.ended_on is null
        where t.status in {LEFT} and (d.id is not null or a.id is not null)""",
    "nobody who has left has an hour that runs, but the one to appeal": f"""
        select l.id, l.kind, t.status from legal_clock l join student t on t.id = l.student_id
        where t.status in {LEFT} and l.kind <> 'appeal'""",
    "a roster changes one thing at a time": f"""
        select c.student_id, array_agg(c.flow || ' ' || c.id) as cases from flow_case c
        where c.state in ('open', 'sent_back') and c.flow not in {NO_ROSTER} and c.flow <> 'cancellation'
            and c.submitted_at is not null and not {MADE} group by c.student_id having count(*) > 1""",
    "what is before the public is under way": """
        select e.id, e.case_id, c.state, p.closes_on from publicity_entry e join publicity p on p.id = e.publicity_id
        join flow_case c on c.id = e.case_id
        where not e.removed and p.closes_on >= :today and c.state <> 'open'""",
    "nobody signs what she handed in or signed, where another hand is asked for": """
        select e.case_id, e.step_key, e.actor_id from case_event e join case_step s on s.case_id = e.case_id
            and s.key = e.step_key and s.state = 'done' and s.decided_by = e.actor_id
        join case_event b on b.case_id = e.case_id and b.actor_id = e.actor_id and b.id < e.id and (
            b.act in ('submit', 'resubmit') and s.declared -> 'hands_differ_from' ? 'submit'
            or b.act = 'approve' and s.declared -> 'hands_differ_from' ? b.step_key)
        where e.act = 'approve'""",
}  # fmt: skip

DAYS = {
    # an appeal's steps share the days of the law, and end with them
    "a step is due after its working days": """
        select s.id, s.case_id, s.key, s.opened_at::date as opened, s.days, s.due_on from case_step s
        join flow_case c on c.id = s.case_id where s.state = 'open' and (not exists (select from year.working_day w where w.day = s.due_on)
            or not coalesce((s.declared ->> 'natural_days')::boolean, false)
            and c.flow <> 'appeal' and s.days <> (
                select count(*) from year.working_day w where w.day <= s.due_on and w.day >
                    greatest(s.opened_at::date, case s.key when 'report_in' then c.return_on end)))""",
    "a list is before the public for its working days": """
        select p.id, p.opens_on, p.closes_on, p.days from publicity p where p.days > (
            select count(*) from year.working_day w where w.day > p.opens_on and w.day <= p.closes_on)
            or not exists (select from year.working_day w where w.day = p.closes_on)""",
    "nobody passes publicity before it is over, and on the list of this round": """
        select s.case_id, s.opened_at, s.decided_at from case_step s where s.state = 'done'
            and (s.declared ->> 'publicity')::boolean and not exists (
                select from publicity_entry e join publicity p on p.id = e.publicity_id where e.case_id = s.case_id
                and p.closes_on < s.decided_at::date and p.opens_on >= s.opened_at::date)""",
    "the time to appeal ends on a working day, ten days from delivery or later": """
        select c.id, c.delivered_on, c.appeal_until from flow_case c where c.delivered_on is not null and (
            c.appeal_until is null or c.appeal_until < c.delivered_on + 10
            or not exists (select from year.working_day w where w.day = c.appeal_until))""",
    "a case is handed in within its window": """
        select c.id, c.flow, c.college_id, c.submitted_at, c.evidence_date from flow_case c
        join (values ('leave', '{autumn_leave,spring_leave}'), ('return', '{autumn_return,spring_return}'),
            ('voluntary_downgrade', '{autumn_downgrade,spring_downgrade}'), ('dismissal', '{autumn_dismissal,spring_dismissal}'),
            ('major_transfer', '{major_transfer}'), ('admission_deferral', '{admission_deferral}'),
            ('admission_waiver', '{admission_waiver}'), ('admission_resumption', '{freshman_checkin}')) w(flow, keys)
            on w.flow = c.flow
        where c.submitted_at::date > :since and c.late_reason is null and not exists (
                select from dated_task t where t.key = any(w.keys::text[]) and coalesce(t.college_id, c.college_id) = c.college_id
                and c.submitted_at::date between t.opens_on and t.due_on)
            and not coalesce(c.flow = 'leave' and c.reason in ('illness', 'enlistment') and c.submitted_at::date <= (
                select min(w.day) from year.working_day w where w.day >= c.evidence_date + 7), false)""",
    "facts are not to come": """
        select id, flow, died_on, evidence_date, delivered_on, informed_on, legality_on from flow_case
        where greatest(died_on, evidence_date, delivered_on, informed_on, legality_on) > :today and submitted_at is not null""",
    "a leave ends with a term, where the calendar knows the next one": """
        select r.id, r.student_id, r.effective_on, r.until from roster_change r join student s on s.id = r.student_id
        join flow_case c on c.id = r.case_id
        where r.code = '11' and s.status = 'on_leave' and s.id > 1000 and r.until > :today
            and not exists (select from roster_change l where l.student_id = r.student_id and l.id > r.id and l.code <> '26')
            and r.until < (select max(first_monday) from term)
            and not exists (select from term t where t.first_monday = r.until + 1)""",
    "no step that has a day of its own passed before it": """
        select s.id, s.case_id, s.decided_at, c.return_on from case_step s join flow_case c on c.id = s.case_id
        where s.key = 'report_in' and s.state = 'done' and s.decided_at::date < c.return_on""",
    "a meeting that agreed is of the kind that its step asks for": """
        select s.id, s.key, m.kind, s.role from case_step s join meeting m on m.id = s.meeting_id
        where m.kind <> case when s.role like 'college%' then 'college' when s.role = 'transfer_panel' then 'committee'
            when s.key = 'review' then 'appeals'
            else 'school' end""",
    "a list before the public is about one procedure": """
        select e.publicity_id from publicity_entry e join flow_case c on c.id = e.case_id group by 1
        having count(distinct c.flow) > 1""",
    "a leave begins before it ends, and who serves has no end until her discharge": """
        select id, code, reason, effective_on, until from roster_change where code = '11' and until < effective_on
            or code = '19' and until is not null or code = '11' and until is null""",
    "a term that nobody could register in is not due": """
        select r.id, r.student_id, r.since, r.due_on, l.effective_on from registration r join lateral (
            select c.effective_on from roster_change c where c.student_id = r.student_id and c.old_status <> 'enrolled'
                and c.new_status = 'enrolled' order by c.id desc limit 1) l on true
        join student s on s.id = r.student_id
        where s.status = 'enrolled' and r.state = 'missing' and r.due_on >= :since and r.due_on < l.effective_on""",
}  # fmt: skip

PAPERS = {
    "one notice an effect to the college, and one letter to whom it is decided against": f"""
        select c.id, c.flow, c.state, array_agg(p.kind) as papers from flow_case c left join paper p on p.case_id = c.id
        group by c.id having count(*) filter (where p.kind in ('change_notice', 'info_notice'))
                <> (case when {MADE} and c.flow <> 'card_replacement' then 1 else 0 end)
            or count(*) filter (where p.kind = 'decision_letter')
                <> (case when {MADE} and c.flow in ('dismissal', 'admission_cancellation') then 1 else 0 end)
            or count(*) filter (where p.kind = 'review_decision')
                <> (case when c.flow = 'appeal' and ({MADE} or exists (select from case_step s where s.case_id = c.id
                    and s.state = 'closed' and s.decided_at is not null)) then 1 else 0 end)""",
    "numbers of notices have no gap and follow the days": """
        select kind, year, count(*), max(serial) from (
            select kind, year, serial, issued_at < max(issued_at) over (partition by kind, year order by serial) as back
            from paper union all
            select 'document', year, serial, issued_at < max(issued_at) over (partition by year order by serial) from document) p
        group by kind, year having count(*) <> max(serial) or min(serial) <> 1 or bool_or(back)""",
    "a paper is of the year in which it was issued":
        "select id, number, year, issued_at from paper where year <> extract(year from issued_at)",
    "a document decided as many cases as it says": """
        select d.id, d.cases, count(distinct s.case_id) from document d left join case_step s on s.document_id = d.id
        group by d.id having d.cases <> count(distinct s.case_id)""",
    # but of two batches that came in one day, and of a late task at each of its levels
    "nobody is told the same twice": """
        select user_id, title_zh, text_zh, path, count(*), array_agg(key) from notice
        where raised_at::date > :since and path not like '/inbox/%' and key not like 'task:%'
        group by user_id, title_zh, text_zh, path, raised_at::date having count(*) > 1""",
    "a letter for each notice at most":
        "select notice_id from mail group by notice_id having count(*) > 1",
    "everything that happens to a case is audited": """
        select e.case_id, e.act, e.at, e.actor_name from case_event e where e.at::date > :since and not exists (
            select from audit_entry a where a.subject = 'flow_case' and a.subject_id = e.case_id and a.at::date = e.at::date)""",
    "a case that ended says so in its timeline": """
        select c.id, c.flow, c.state, c.closed_at from flow_case c where c.closed_at::date > :since and not exists (
            select from case_event e where e.case_id = c.id and e.at >= c.closed_at - interval '1 minute')""",
    "no major takes more than its places": """
        select q.major_id, q.places, count(*) from transfer_quota q join transfer_choice t on t.round_id = q.round_id
            and t.major_id = q.major_id and t.admitted group by q.id having count(*) > q.places""",
}  # fmt: skip

CHECKS = LEDGER | CASES | DAYS | PAPERS
# At the end: a year in which something never came to an end proves nothing of it.
ONCE = {
    "every flow was decided": """
        select f from unnest(array['leave', 'return', 'voluntary_downgrade', 'voluntary_withdrawal', 'cancellation', 'dismissal',
            'info_change', 'card_replacement', 'appeal', 'major_transfer', 'admission_deferral', 'admission_waiver',
            'admission_cancellation', 'admission_resumption']) f
        where not exists (select from flow_case c where c.flow = f and c.state = 'done')""",
    "every kind of end was seen": """
        select s from unnest(array['done', 'refused', 'withdrawn', 'ended']) s
        where not exists (select from flow_case c where c.state = s)""",
}  # fmt: skip
