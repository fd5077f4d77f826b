"""流程版本 published versions of flows: what a case keeps, whatever is declared for those that begin later."""

from sqlalchemy import DateTime, SmallInteger, String, func
from sqlalchemy.dialects.postgresql import JSONB

from app.models.base import Mapped, Model, datetime, mapped_column


class FlowVersion(Model):
    """The definition of a flow as it was published. Written once by each deploy, never changed."""

    __tablename__ = "flow_version"
    __table_args__ = {"info": {"public": True}}
    flow: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    definition: Mapped[dict] = mapped_column(JSONB)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
