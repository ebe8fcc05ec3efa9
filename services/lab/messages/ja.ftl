# ページのすべての文、日本語。en.ftl と同じメッセージがあります。数と単位の間は、改行しない空白（U+00A0）です。

## すべてのページの枠

skip = 本文へ移動
nav-lessons = レッスン
nav-api = API
language-switch = English
wall-on = 投影
wall-off = 投影モードを終わる

## 最初のページ

home-title = 分散がなぜ難しいかを、目で見る
home-lead = お客さん 1 人が 1 回注文すると、ケーキが 2 つ予約されます。まず予想し、実行し、本物のプロセスの本物のスパンから描いた図を見てください。
home-begin = ケーキ 2 つの実験から始める
home-lessons = レッスン
home-cases = { $count ->
   *[other] { $count } 通りを図で見ます
}
home-table = 結果を表で読みます
home-real = ここで本物なのは何か
home-real-body = 2 つのサービスが、このマシンかクラスターで動いています。実行するたびに、本物の HTTP リクエストを送ります。図はすべて、その実行の OpenTelemetry スパンから描きます。あらかじめ用意したものはありません。サービスの制限を変えれば図も変わり、判定もそのことを伝えます。
home-runs = 最近の実行
home-no-runs = ラボを起動してから、実験はまだ実行されていません。

## レッスン

name-slow = 遅い
name-cut = 切れる
name-doubt = 迷い
name-double = 重複
name-local = ローカル
name-jitter = ジッター
name-recover = 回復
name-reorder = 順序
name-nature = 自然
name-policy = 方針

lesson-slow = 遅い：まったく同じタイムアウト、3 通りの真実
lesson-cut = 切れる：コミットの前でも後でも、まったく同じエラー
lesson-doubt = 迷い：予約はある。知っているのは在庫サービスだけ
lesson-double = 重複：お客さん 1 人、ケーキ 2 つ
lesson-local = ネットワーク越しの呼び出しは、ローカル呼び出しではない
lesson-jitter = ジッター：同じ注文を 20 回
lesson-recover = 失敗しても、また動く
lesson-reorder = 順序の入れ替わり：送った順に返らない
lesson-nature = 順序の入れ替わりはバグではなく自然現象
lesson-policy = タイムアウトとリトライは決めごと

trial-slow-1 = 在庫サービスの処理に 2 s かかります。注文サービスは 1 s であきらめ、リトライしません。
trial-slow-2 = 在庫サービスは 2 s かけてから断ります。注文サービスは 1 s であきらめます。
trial-slow-3 = 在庫サービスはすぐに予約します。遅いのは応答だけで、2 s かかります。注文サービスは 1 s であきらめます。
trial-cut-1 = 在庫サービスは、コミットの前に接続を切ります。注文サービスはタイムアウトのときだけリトライするので、ここではリトライしません。
trial-cut-2 = 在庫サービスは、コミットしてから接続を切ります。応答は届きません。
trial-cut-3 = 在庫サービスは断ります。断りも 1 つの応答です。
trial-doubt-1 = 在庫サービスはすぐに予約し、応答を保留します。注文サービスは応答を待ちます。応答をどうするかは、あなたが決めます。
trial-double-1 = 試行は 2 回とも遅いです。注文サービスは 1 s であきらめ、同じ注文をもう一度送り、またあきらめます。
trial-double-2 = 遅いのは最初の試行だけです。注文サービスは 1 s であきらめ、もう一度送ります。お客さんがボタンを押したのは 1 回です。
trial-local-1 = 在庫の同じ規則を、1 つのプロセスの中で 1,000 回、HTTP 越しに 1,000 回呼び出します。
trial-jitter-1 = 在庫サービスの処理時間は、0.2 s から 1.8 s までの間で偶然に決まります。注文サービスは 1 s まで待ちます。同じ注文を 20 回送ります。
trial-recover-1 = 在庫サービスは、偶然に応答したり、失敗したり、接続を切ったりします。注文と注文の間に、誰も何も直しません。
trial-reorder-1 = 8 個の ping を同時に送ります。処理時間は 1 つずつ違います。
trial-nature-1 = 20 個の ping を同時に送るのを、50 回繰り返します。誰も遅らせません。
trial-policy-1 = 40 件の注文が同じ障害に出会います。方針は 4 つです。制限は 1 s か 3 s、リトライはありかなしです。
trial-number = ケース { $number }
request = リクエスト
request-curl = curl で同じことをするには

## 予想

predict = まず予想してください
predict-knows = 試行 1 が終わったとき、注文サービスに何がわかりますか。
predict-knows-held = 応答が保留されている間、注文サービスに何がわかりますか。
predict-reservations = 3 s 後、この注文の予約は何件ですか。
knows-reserved = 予約された
knows-not-reserved = 予約されていない
knows-nothing = わからない
run = 実行
run-again = もう一度実行
next-case = 次のケース
next-lesson = 次のレッスン
run-only = このレッスンには、まだ質問がありません。実行して、表を読んでください。

## 実行

running = 実験を実行しています。
running-hint = スパンが届くと、このページに図が出ます。
reload = もう一度見る
run-failed = 実行に失敗しました: { $reason }
lesson-gone = そのようなレッスンはありません。
run-gone = ラボはこの実行を知りません。残しているのは、起動してからの最近 { $most } 件です。
run-busy = いまは新しい実行を始められません: { $reason }
held-question = 予約は済み、応答は保留されています。お客さんに何と伝えますか。
held-release = 応答を届ける
held-cut = 接続を切る
held-wait = 注文サービスがあきらめるまで待つ
picture = 起きたこと
picture-text = 文字で見る図
no-picture = この実行のスパンが届かなかったので、図はありません。
step = { $all } のうち { $number }
step-back = 前へ
step-next = 次へ
knows = 誰が何を知っているか

ledger = 台帳
ledger-told = お客さんに伝えたこと
ledger-known = お客さんが知っている予約
ledger-made = 在庫サービスが行った予約
ledger-gap = 食い違い
reservations = { $count ->
   *[other] { $count } 件
}
outcome-confirmed = 確定
outcome-failed = 失敗（確定）
outcome-unknown = 結果不明
after = { $seconds } s 後

## 何が見えましたか

observe = 何が見えましたか
observe-commit = この注文の最後のコミットは、いつでしたか。
commit-before = お客さんに伝える前
commit-after = お客さんに伝えた後
commit-never = コミットはなかった
observe-send = 判定を見る

## 判定

verdict = 判定
verdict-shown = 証拠に現れています。
verdict-incomplete = スパンが欠けているので、わかりません。
verdict-not-shown = 期待した現象は起きませんでした。
verdict-question = 質問
verdict-yours = あなたの答え
verdict-evidence = 証拠が示すこと
verdict-right = 合っています
verdict-wrong = 違います
verdict-none = 答えなし

why-slow-1 = お客さんには { $after } s 後に「{ $words }」と伝わりました。在庫サービスのコミットは{ $commit }です。注文は失敗したのではなく、結果不明でした。
why-slow-2 = お客さんに伝わったことは同じです。実際には、何も予約されていません。
why-slow-3 = お客さんに伝わったことは同じです。実際には、注文サービスがあきらめる前に、ケーキは予約されていました。
why-cut-1 = 応答がないので、結果不明です。実際には、何も予約されていません。
why-cut-2 = 応答がないので、結果不明です。実際には、ケーキは予約されています。
why-cut-3 = 在庫サービスは断りました。注文は失敗（確定）で、ケーキは予約されていません。
why-doubt-1 = 誰かが決める前に、ケーキは予約されていました。それを知らせることができるのは、応答だけでした。
why-double-1 = お客さんには { $after } s 後にエラーが伝わり、結果不明でした。在庫サービスは { $made } 件予約しました。最後は{ $commit }です。
why-double-2 = お客さんには { $after } s 後に確定と伝わり、知っているケーキは 1 つです。在庫サービスは最初の試行を{ $commit }にコミットしました。お客さん 1 人に、ケーキ 2 つです。
commit-at = {" "}{ $seconds } s 後
commit-sometime = その後

links = もっと詳しく
link-jaeger = このトレースを Jaeger で見る
link-grafana = この時刻を Grafana で見る
link-json = この実行（JSON）
link-markdown = この実行（アシスタント用のテキスト）
table = 測ったこと
state-running = 実行中
state-failed = 失敗
state-shown = 現れた
state-incomplete = 不完全
state-not-shown = 現れなかった

## 図の中のことば

picture-title = 1 件の注文の時空図。時間は下へ、メッセージは横へ進みます
lane-customer = お客さん
lane-order = 注文サービス
lane-inventory = 在庫サービス
message-order = 注文
message-attempt = 試行 { $number }
end-timeout = タイムアウト
end-connection-lost = 接続断
end-connection-refused = 接続拒否
note-commit = コミット: { $item } { $before } → { $after }
commit-is-late = 遅れて届いた（誰も待たず）
commit-is-duplicate = この注文の 2 回目
commit-is-both = 遅れて届いた、2 回目
note-cut = 接続を切る
note-given-up = 試行 { $number } をあきらめる
note-unknown = 予約されたかは、わからない
note-nothing-sent = 何も送られていない
note-caller-left = もう誰も待っていない
note-answer-dropped = 応答は誰にも届かない
of-attempt = 試行 { $number }
fault-slow = 待ってからコミット
fault-fail = 断る
fault-slowfail = 待ってから断る
fault-abort = コミットの前に切る
fault-lostreply = コミットしてから切る
fault-slowreply = コミットしてから待つ
fault-hold = コミットし、応答を保留
sign-waits = 待っている
sign-works = 処理中、呼び出し元は待つ
sign-unheard = 処理中、誰も待たない
sign-commit = コミット
sign-late = 遅れて届いたコミット
sign-duplicate = 1 つの注文の 2 回目
sign-timeout = あきらめる
sign-lost = 届かなかった
left-out = 描いていないものが、ほかに { $count } 個

## 誰が何を知っているか

know-nothing-yet = まだ何も知りません
know-asked = 注文を 1 回送りました
know-waits = 待っています。予約されたかは、まだわかりません
know-told = 伝えられた結果：{ $outcome }
know-is-reserved = 予約があると知っています
know-is-not-reserved = 何も予約されていないと知っています
know-cannot = 予約されたかは、わかりません
know-attempt-waits = 試行 { $number }：応答を待っています
know-attempt-reserved = 試行 { $number }：応答は { $status }。予約されました
know-attempt-refused = 試行 { $number }：応答は { $status }。予約されていません
know-attempt-not-sent = 試行 { $number }：何も送られず、予約されていません
know-attempt-unknown = 試行 { $number }：応答なし（{ $reason }）。予約されたかは、わかりません
know-exactly = 予約の数：確かに { $count }
know-between = 予約の数：{ $certain } から { $possible } の間
know-works = 試行 { $number }：処理しています
know-not-committed = 試行 { $number }：何もコミットしていません
know-committed = 試行 { $number }：コミットしました
know-committed-again = 試行 { $number }：コミットしました。この注文の 2 回目です
know-caller-left = 試行 { $number }：呼び出し元はもういません
know-answer-sent = 試行 { $number }：応答しました。届いたかは、わかりません
know-answer-cut = 試行 { $number }：接続を切り、応答は出ていません
know-nobody-left = 試行 { $number }：応答する相手はもういませんでした

## 自由に試す

name-free = 自由
lesson-free = 自由に試す：自分の注文を書く
trial-free-1 = 在庫サービスが試行ごとに何をするか、注文サービスがもう一度送るかを選びます。
why-free-1 = 注文への応答は { $after } s 後でした。在庫サービスは { $made } 件予約しました。最後は{ $commit }です。
free-item = 商品
free-quantity = 個数
free-first = 試行 1 の障害
free-second = 試行 2 の障害
free-retry = タイムアウトの後にもう一度送る
free-limit = 試行ごとの制限（ミリ秒。空ならサービスの設定）
free-faults = 障害のことば
free-no-limit = 「{ $limit }」は制限にできません。ミリ秒の整数を書いてください。
fault-none = 何もしない
fault-flaky = 偶然に、応答するか失敗するか切る
fault-jitter = 偶然に 0.2 s から 1.8 s 待ってからコミット

## 1 つの当事者には区別できない世界

worlds-title = { $count ->
    [3] 3 つの世界、1 つの見え方
   *[other] 2 つの世界、1 つの見え方
}
worlds-lead = 実験全体を、注文 1 件ずつ順に実行します。そのあと、{ $faults } の実行を、注文サービスが送ったこと、受け取ったこと、行ったことで比べます。
worlds-predict = まず予想してください。注文サービスは、どの出来事でこれらの実行を区別できますか。
worlds-saw = 注文サービスが送ったこと、受け取ったこと、行ったこと
worlds-same = 注文サービスには区別できません（確認済み：{ $runs } 回の実行、同じ { $events } 個の出来事）。
worlds-times = 時刻は比べていません。時刻は表にあります。
worlds-differ = 注文サービスは、出来事 { $number } で区別できます。
worlds-lost = 注文サービスに区別できるかどうかは、わかりません。注文サービスのスパンが欠けているか、誤っています：{ $faults }。
worlds-each = それぞれの実行
event-order = 注文を受け取った
event-attempt = 試行 { $number } を送った
event-answer = 試行 { $number } の応答 { $status } を受け取った
event-no-answer = 試行 { $number } は応答なし：{ $reason }
event-told = お客さんに伝えた：{ $outcome }
event-none = これ以上なし

## 注文のスパン

spans = スパンと属性
span-name = スパン
span-start = 開始
span-when = 時間軸
span-duration = 所要時間
spans-left-out = 表示していないスパンが、ほかに { $count } 個あります。
