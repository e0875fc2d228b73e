-- One database each: MLflow and Prefect both own a table called alembic_version.
CREATE DATABASE mlflow;
CREATE DATABASE prefect;
