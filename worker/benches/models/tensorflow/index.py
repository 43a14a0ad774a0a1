import os
import tempfile

# Keras reads and writes settings there, by default in the user's home folder, which the sandbox refuses.
os.environ["KERAS_HOME"] = tempfile.gettempdir()
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import numpy
import tensorflow

layers = tensorflow.keras.layers
model = tensorflow.keras.Sequential(
    [layers.Dense(64, activation="relu", input_shape=(8,)), layers.Dense(64, activation="relu"), layers.Dense(1)]
)


def predict(rows):
    return model.predict_on_batch(numpy.array(rows, dtype="float32"))


predict([[0.0] * 8])


def handler(event, context):
    return {"telemetry": event.get("telemetry"), "score": numpy.asarray(predict([[float(event.get("value", 1.5))] * 8]))[0][0]}
