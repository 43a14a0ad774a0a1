//! The worker's image with scientific packages.

use serde_json::json;

use super::container::Container;
use super::image::Image;
use super::pod::Pod;

#[test]
fn the_packages_are_there_compiled_and_agree_with_each_other() -> anyhow::Result<()> {
    let image = Image::open("worker-science")?;
    let container = Container::of(&image);
    let code = "
import numpy, pandas, scipy.stats, sklearn.ensemble, sys
assert numpy.linalg.inv(numpy.eye(3)).sum() == 3
assert pandas.DataFrame({'x': [1, 2]}).x.mean() == 1.5
for name, module in list(sys.modules.items()):
    path = getattr(module, '__cached__', None)
    assert path is None or __import__('os').path.exists(path), path + ' is not compiled'
print(numpy.__version__, pandas.__version__, sklearn.__version__)
";
    let versions = container.output(&["python3", "-c", code])?;
    let pinned = include_str!("../../deploy/images/science.txt");
    for (package, version) in ["numpy", "pandas", "scikit-learn"]
        .iter()
        .zip(versions.split_whitespace())
    {
        assert!(
            pinned.contains(&format!("{package}=={version}")),
            "{package} {version}"
        );
    }
    let text = container.output(&["python3", "-m", "pip", "check"])?;
    assert_eq!(text.trim(), "No broken requirements found.");
    Ok(())
}

#[tokio::test]
async fn a_trained_estimator_serves() -> anyhow::Result<()> {
    let index = "
import numpy as np
from sklearn.linear_model import LinearRegression
model = LinearRegression().fit(np.arange(10).reshape(-1, 1), np.arange(10) * 2 + 1)
def handler(event, context):
    return {'prediction': round(model.predict([[20]])[0], 6)}
";
    let mut pod = Pod::start("worker-science", |models| models.pack("industry", index)).await?;
    assert_eq!(pod.result().await?, json!({ "prediction": 41.0 }));
    pod.stop().await
}
