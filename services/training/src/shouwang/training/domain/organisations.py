"""Which organisations may employ guards, and how."""


def may_be_entity(kind: str, entity: str | None) -> str | None:
    """What forbids an organisation of this kind to be this guard-employing entity; None if nothing does.

    Source: 保安服务管理条例 art. 13 (entertainment venues), art. 40 (state organs), art. 4 (the two kinds of entities).
    """
    if kind == "entertainment" and entity == "self_hiring_unit":
        return "entertainment venues take guards from a guard company, not their own (保安服务管理条例 第13条)"
    if kind in ("government", "police_post") and entity == "guard_company":
        return "state organs may not set up or take part in a guard company (保安服务管理条例 第40条)"
    if {kind, entity} == {"guard_company", "self_hiring_unit"}:
        return "a guard company and a self-hiring unit are two things (保安服务管理条例 第4条)"
    return None
