"""组织 the organisation: colleges, departments, code sets and settings."""

from app.views.organisation.reference import CodeApi, CodeScreen, CodeSetApi, CodeSetScreen, SettingApi, SettingScreen
from app.views.organisation.units import (
    ClassGroupApi,
    ClassGroupScreen,
    CollegeApi,
    CollegeScreen,
    DepartmentApi,
    DepartmentScreen,
    MajorApi,
    MajorScreen,
)

PAGES: list = [
    CollegeScreen,
    MajorScreen,
    ClassGroupScreen,
    DepartmentScreen,
    SettingScreen,
    CodeSetScreen,
    CodeScreen,
]
APIS: list = [
    CollegeApi,
    MajorApi,
    ClassGroupApi,
    DepartmentApi,
    CodeSetApi,
    CodeApi,
    SettingApi,
]
