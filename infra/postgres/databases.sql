-- One database each: MLflow, its accounts and Prefect all own a table of their migrations.
CREATE DATABASE mlflow;
CREATE DATABASE accounts;
CREATE DATABASE prefect;
